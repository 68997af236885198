/** Lines or stacked areas over time, by uPlot, which is loaded when the first is drawn. What they show is said in words beside them. */
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { AlignedData, Options, default as UPlot } from 'uplot';

export type Series = {
  readonly label: string;
  /** A custom property of the page's style sheet: `--allow`. */
  readonly color: string;
  readonly values: readonly number[];
  readonly kind: 'area' | 'points';
};

export const Chart = ({
  label,
  says,
  at,
  series,
  unit = '',
  height = 200,
  spanSeconds,
}: {
  readonly label: string;
  /** The same in a sentence, for whoever does not see it. */
  readonly says: string;
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  /** Areas are stacked in their order. */
  readonly series: readonly Series[];
  readonly unit?: string;
  readonly height?: number;
  /** From when to when, where it is more than there are values. */
  readonly spanSeconds?: readonly [number, number];
}) => {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the style sheet, which the scheme changes
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    let drawn: UPlot | undefined;
    let gone = false;
    const resized = new ResizeObserver(() => drawn?.setSize({ width: element.clientWidth, height }));
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: Plot }]) => {
      if (gone) return;
      drawn = new Plot(
        optionsOf(element, series, { unit, height, spanSeconds }, Plot),
        stacked(at, series) as AlignedData,
        element,
      );
      resized.observe(element);
    });
    return () => {
      gone = true;
      resized.disconnect();
      drawn?.destroy();
    };
  }, [at, series, unit, height, scheme, spanSeconds?.[0], spanSeconds?.[1]]);
  return (
    <figure className="chart" aria-label={label}>
      <figcaption>
        <strong>{label}</strong>
        <span className="legend" aria-hidden="true">
          {series.map((each) => (
            <span key={each.label}>
              <i style={{ background: `var(${each.color})` }} /> {each.label}
            </span>
          ))}
        </span>
        <span className="visually-hidden">{says}</span>
      </figcaption>
      <div ref={place} aria-hidden="true" style={{ minHeight: height }} />
    </figure>
  );
};

/** The lower areas are part of the higher ones, which are drawn first. */
const stacked = (at: readonly number[], series: readonly Series[]): (readonly number[])[] => {
  let below = at.map(() => 0);
  const rows = series.map(({ values, kind }) => {
    if (kind === 'points') return values;
    below = below.map((sum, place) => sum + (values[place] ?? 0));
    return below;
  });
  return [at, ...rows.toReversed()];
};

const optionsOf = (
  element: Element,
  series: readonly Series[],
  {
    unit,
    height,
    spanSeconds,
  }: { readonly unit: string; readonly height: number; readonly spanSeconds: readonly [number, number] | undefined },
  Plot: typeof UPlot,
): Options => {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim() || 'gray';
  const axis = {
    stroke: color('--mantine-color-text'),
    grid: { stroke: color('--mantine-color-default-border'), width: 1 },
    ticks: { stroke: color('--mantine-color-default-border'), width: 1 },
  };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, ...(spanSeconds && { range: () => [spanSeconds[0], spanSeconds[1]] }) },
      y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
    },
    axes: [axis, { ...axis, size: 64, values: (_, splits) => splits.map((each) => `${each.toLocaleString()}${unit}`) }],
    series: [
      {},
      ...series.toReversed().map(({ label, color: name, kind }) =>
        kind === 'points'
          ? {
              label,
              stroke: color(name),
              fill: color(name),
              paths: () => null,
              points: { show: true, size: 7, fill: color(name) },
            }
          : {
              label,
              stroke: color(name),
              fill: color(name),
              width: 0,
              points: { show: false },
              ...(Plot.paths.stepped && { paths: Plot.paths.stepped({ align: 1 }) }),
            },
      ),
    ],
  };
};
