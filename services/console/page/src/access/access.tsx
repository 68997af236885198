/** Access: anything found by one search, then what it can call or who can call it, drawn and told, now or at a past moment. */
import { Alert, Anchor, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { Evidence } from '../evidence.tsx';
import { legible } from '../names.ts';
import { Listed, Moment } from '../shown.tsx';
import { accessPages, SubPages } from '../sub-pages.tsx';
import { TimeBar } from '../time/time-bar.tsx';
import { AboutRole, AboutService } from './about-role.tsx';
import { Drawn } from './drawn.tsx';
import { Find } from './find.tsx';
import { alikeOf, parseAbout, useRights } from './rights.ts';

export const Access = () => {
  const [query, setQuery] = useSearchParams();
  const [text, at] = [query.get('about') ?? '', query.get('at') ?? ''];
  const about = parseAbout(text);
  const choose = (name: string) => setQuery(new URLSearchParams(queryText({ about: name, at })));
  return (
    <>
      <SubPages title="Access" of={accessPages} keep={['at']} />
      <Group align="end" mb="xs">
        <Find label="Subject, group, role, service or endpoint" value={text} onChoose={choose} />
      </Group>
      <TimeBar />
      {about.kind === 'nothing' && (
        <p>
          Find somebody to see what they can call, or an endpoint, a role or a service to see who can call it, and by
          which grants.
        </p>
      )}
      {(about.kind === 'subject' || about.kind === 'endpoint') && (
        <Rights key={text} kind={about.kind} name={about.name} at={at} onAbout={choose} />
      )}
      {(about.kind === 'role' || about.kind === 'group') && <AboutRole kind={about.kind} name={about.name} at={at} />}
      {about.kind === 'service' && <AboutService name={about.name} at={at} />}
    </>
  );
};

const Rights = ({
  kind,
  name,
  at,
  onAbout,
}: {
  readonly kind: 'subject' | 'endpoint';
  readonly name: string;
  readonly at: string;
  readonly onAbout: (about: string) => void;
}) => {
  const found = useRights(kind, name, at);
  const [wanted, setWanted] = useState('');
  const rights = (found.data?.rights ?? []).filter(
    ({ subject, endpoint }) =>
      wanted === '' || (kind === 'subject' ? endpoint : subject).toLowerCase().includes(wanted.toLowerCase()),
  );
  const alike = alikeOf(rights, kind);
  return (
    <Listed
      of={found}
      count={(found.data?.rights.length ?? 0) + (found.data?.public === true ? 1 : 0)}
      empty={kind === 'subject' ? `${name} could call nothing.` : `Nobody could call ${name}.`}
    >
      <Group justify="space-between" align="end" my="sm">
        <p>
          {kind === 'subject' ? (
            <>
              <strong>{legible(name)}</strong> can call <strong>{found.data?.rights.length}</strong> endpoints
            </>
          ) : (
            <>
              <strong>{found.data?.rights.length}</strong> subjects can call <strong>{name}</strong>
            </>
          )}{' '}
          as of <Moment at={found.data?.moment.at ?? ''} />, fact {found.data?.moment.sequence}.
        </p>
        <Group gap="xs" align="end">
          <TextInput
            label={kind === 'subject' ? 'Only endpoints with' : 'Only subjects with'}
            size="xs"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
          <Evidence
            query={{
              question: kind === 'subject' ? '2' : '1',
              [kind]: name,
              // A question about the past is asked with the moment of its answer.
              ...(at !== '' && { at }),
            }}
          />
          {kind === 'subject' && (
            <>
              <Anchor component={Link} to={`/time/life${queryText({ subject: name })}`} underline="always" size="sm">
                Their life
              </Anchor>
              <Anchor
                component={Link}
                to={`/access/why${queryText({ subject: name, at })}`}
                underline="always"
                size="sm"
              >
                Why not?
              </Anchor>
            </>
          )}
        </Group>
      </Group>
      {found.data?.public === true && (
        <Alert color="yellow" title="Public" mb="sm">
          Anybody may call it, without a credential.
        </Alert>
      )}
      <Drawn alike={alike} onAbout={onAbout} />
    </Listed>
  );
};
