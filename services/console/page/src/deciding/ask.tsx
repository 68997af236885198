/** Roles that can be asked for, each with what it is, who says yes, and what stands against it; and emergencies. */
import { Badge, Button, Group, Paper, TextInput } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { queryText } from '../api.ts';
import { Listed, Moment } from '../shown.tsx';
import { AskForm } from './ask-form.tsx';
import { type Askable, inWords, ruleInWords, useAskable, useMayDecide } from './asked.ts';
import { TakeGlass } from './take-glass.tsx';

export const Ask = () => {
  const [query, setQuery] = useSearchParams();
  const [find, chosen, how] = [query.get('find') ?? '', query.get('role') ?? '', query.get('how') ?? 'ask'];
  const roles = useAskable(true);
  const go = (next: Record<string, string>) =>
    setQuery(new URLSearchParams(queryText({ find, ...next })), { replace: true });
  const all = roles.data?.items ?? [];
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(({ role, description = '' }) =>
    words.every((word) => `${role} ${description}`.toLowerCase().includes(word)),
  );
  return (
    <>
      <TextInput
        label="Find a role"
        placeholder="payroll"
        value={find}
        onChange={(event) => go({ find: event.target.value })}
        my="sm"
        maw="24rem"
      />
      <Listed
        of={roles}
        count={found.length}
        empty={
          all.length === 0 ? 'There is no role that one can ask for here.' : `No role is called or described “${find}”.`
        }
      >
        {found.map((each) => (
          <Role
            key={each.role}
            role={each}
            chosen={chosen === each.role ? how : undefined}
            onChoose={(next) => go(next === undefined ? {} : { role: each.role, how: next })}
          />
        ))}
      </Listed>
    </>
  );
};

const Role = ({
  role,
  chosen,
  onChoose,
}: {
  readonly role: Askable;
  readonly chosen: string | undefined;
  readonly onChoose: (how: 'ask' | 'extend' | 'glass' | undefined) => void;
}) => {
  const may = useMayDecide();
  const { role: name, description, longest, against, extend, breakGlass, waiting } = role;
  const asks = role.approvers.length > 0 && may('askForRole');
  const longer = extend !== undefined && extend.against === undefined && may('askForRole');
  const glass = breakGlass !== undefined && may('openBreakGlass');
  const close = () => onChoose(undefined);
  return (
    <Paper withBorder p="md" my="sm" role="group" aria-label={name}>
      <Group justify="space-between" align="start">
        <div className="role">
          <bdi>
            <strong>{name}</strong>
          </bdi>{' '}
          {extend && <Badge color="green.9">yours</Badge>}
          {waiting !== undefined && <Badge color="gray.7">asked</Badge>}
          {description !== undefined && <p dir="auto">{description}</p>}
          <p className="small">
            {role.approvers.length > 0 && (
              <>
                For up to {inWords(longest)}; approved by {ruleInWords(role)}.{' '}
              </>
            )}
            {extend ? (
              <>
                You hold it until <Moment at={extend.until} />.
              </>
            ) : (
              against && role.approvers.length > 0 && <>Not now: {against.why}.</>
            )}
            {breakGlass?.against && <> In an emergency: {breakGlass.against.why}.</>}
          </p>
        </div>
        <Group gap="xs">
          {asks && against === undefined && chosen !== 'ask' && (
            <Button size="compact-md" onClick={() => onChoose('ask')}>
              Ask
            </Button>
          )}
          {longer && chosen !== 'extend' && (
            <Button size="compact-md" onClick={() => onChoose('extend')}>
              Ask for longer
            </Button>
          )}
          {glass && breakGlass?.against === undefined && (
            <Button size="compact-md" color="red.9" onClick={() => onChoose('glass')}>
              Break glass
            </Button>
          )}
        </Group>
      </Group>
      {chosen === 'ask' && asks && against === undefined && <AskForm role={role} onDone={close} />}
      {chosen === 'extend' && longer && <AskForm role={role} grant={extend.grant} onDone={close} />}
      {chosen === 'glass' && glass && breakGlass?.against === undefined && <TakeGlass role={role} onDone={close} />}
    </Paper>
  );
};
