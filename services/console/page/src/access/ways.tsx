/** The ways in words: what the picture shows, for whoever reads, listens, or looks something up. */
import { Anchor, Badge, Button, Paper } from '@mantine/core';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { legible } from '../names.ts';
import { Moment } from '../shown.tsx';
import { type Alike, conditionWords, type Way } from './rights.ts';

/** Shown of a long list at first. */
const shownMax = 60;

/** A name that leads to what can be said about it, at the moment that is looked at. */
export const AboutLink = ({ about, children }: { readonly about: string; readonly children?: string }) => {
  const [query] = useSearchParams();
  return (
    <Anchor
      component={Link}
      to={`/access${queryText({ about, at: query.get('at') ?? '' })}`}
      underline="always"
      inherit
    >
      {children ?? legible(about)}
    </Anchor>
  );
};
export const FactLink = ({ fact }: { readonly fact: number }) => (
  <Anchor component={Link} to={`/record/facts/${fact}`} underline="always" inherit>
    fact {fact}
  </Anchor>
);

export const GrantTold = ({ way }: { readonly way: Way }) => (
  <span className="edge">
    granted by {legible(way.by)}: “{way.reason}” (<FactLink fact={way.fact} />
    {way.issued && (
      <>
        , <Moment at={way.issued} />
      </>
    )}
    {way.origin !== undefined && way.origin !== 'direct' && <>, {way.origin}</>}
    {way.ticket !== undefined && <>, ticket {way.ticket}</>}
    {way.approvals?.map(({ by, as }) => (
      <span key={`${by} ${as}`}>
        , approved by {by} as {as}
      </span>
    ))}
    {way.conditions !== undefined && <>; only {conditionWords(way.conditions).join('; ')}</>})
  </span>
);

/** Somebody may hold ten thousand grants: so many ways are told of at a time. */
const waysAtATime = 50;

export const Ways = ({ alike }: { readonly alike: readonly Alike[] }) => {
  const [many, setMany] = useState(waysAtATime);
  return (
    <>
      {alike.slice(0, many).map((each) => (
        <Told key={each.key} alike={each} />
      ))}
      {alike.length > many && (
        <Button variant="default" onClick={() => setMany(many + waysAtATime)}>
          Show more: {alike.length - many} are left
        </Button>
      )}
    </>
  );
};

const Told = ({ alike: { subjects, endpoints, conditional, ways } }: { readonly alike: Alike }) => {
  const [many, setMany] = useState(waysAtATime);
  return (
    <Paper withBorder p="sm" mb="sm">
      {conditional && <Badge color="yellow.9">under conditions</Badge>}
      {ways.slice(0, many).map((way) => (
        <ol className="path" key={`${way.subject} ${way.grant} ${way.group ?? ''}`}>
          <li>
            <span className="node">{subjects.length > 1 ? `${subjects.length} subjects` : legible(way.subject)}</span>
          </li>
          {way.group !== undefined && (
            <li>
              <span className="edge">is in</span>
              <span className="node">
                <AboutLink about={way.group} />
              </span>
            </li>
          )}
          <li>
            <GrantTold way={way} />
            <span className="node">
              <AboutLink about={`role:${way.role}`}>{`role ${way.role}`}</AboutLink>
            </span>
          </li>
          <li>
            <span className="edge">opens</span>
          </li>
        </ol>
      ))}
      {ways.length > many && (
        <Button variant="default" size="compact-sm" onClick={() => setMany(many + waysAtATime)}>
          Show more ways: {ways.length - many} are left
        </Button>
      )}
      {subjects.length > 1 && <Names of={subjects} label="subjects" />}
      <Names of={endpoints} label="endpoints" />
    </Paper>
  );
};

const Names = ({ of, label }: { readonly of: readonly string[]; readonly label: string }) => (
  <ul className="opened" aria-label={label}>
    {of.slice(0, shownMax).map((name) => (
      <li key={name}>
        <AboutLink about={name} />
      </li>
    ))}
    {of.length > shownMax && <li>and {of.length - shownMax} more</li>}
  </ul>
);
