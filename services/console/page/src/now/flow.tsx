/** Decisions by minute, allowed over refused, as areas. */
import { useMemo } from 'react';
import { Chart, type Series } from '../chart.tsx';
import type { Pulse } from './pulse.ts';

const minuteSeconds = 60;

export const Flow = ({ pulse, minutes }: { readonly pulse: Pulse; readonly minutes: number }) => {
  const { at, series, says, span } = useMemo(() => drawn(pulse, minutes), [pulse, minutes]);
  return <Chart label="Decisions a minute" says={says} at={at} series={series} spanSeconds={span} height={210} />;
};

/** Minutes without a decision are no gap: nothing was asked. */
const drawn = (pulse: Pulse, minutes: number) => {
  const end = Math.floor(Date.parse(pulse.now) / 1_000 / minuteSeconds) * minuteSeconds;
  const begin = end - (minutes - 1) * minuteSeconds;
  const counted = new Map(pulse.minutes.map((each) => [Date.parse(each.at) / 1_000, each]));
  const at: number[] = [];
  const [allow, own, deny, unavailable]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let second = begin; second <= end; second += minuteSeconds) {
    const minute = counted.get(second);
    at.push(second);
    allow.push(minute?.allow ?? 0);
    own.push(minute?.own ?? 0);
    deny.push(minute?.deny ?? 0);
    unavailable.push(minute?.unavailable ?? 0);
  }
  // A step is as long as its minute: the last one too.
  at.push(end + minuteSeconds);
  for (const values of [allow, own, deny, unavailable]) values.push(values.at(-1) ?? 0);
  const sum = (values: readonly number[]): number => values.slice(0, -1).reduce((all, each) => all + each, 0);
  const series: readonly Series[] = [
    { label: 'refused', color: '--deny', values: deny, kind: 'area' },
    { label: 'could not decide', color: '--unavailable', values: unavailable, kind: 'area' },
    { label: 'allowed', color: '--allow', values: allow, kind: 'area' },
    { label: 'Postern’s own API', color: '--own', values: own, kind: 'area' },
  ];
  const says = `In the last ${minutes} minutes ${sum(allow)} were allowed (and ${sum(own)} of Postern’s own API), ${sum(deny)} refused, and ${sum(unavailable)} could not be decided.`;
  return { at, series, says, span: [begin, end + minuteSeconds] as const };
};
