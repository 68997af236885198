/** The keys of a campaign, as they are pressed and as they are explained. */
import { Button, Kbd, Title } from '@mantine/core';
import { Dialog } from '../dialog.tsx';
import type { Verdict } from './marks.ts';

export const verdictKeys = [
  { verdict: 'keep', key: 'y', name: 'Keep' },
  { verdict: 'revoke', key: 'r', name: 'Revoke' },
  { verdict: 'shorten', key: 's', name: 'Shorten' },
] as const satisfies readonly { verdict: Verdict; key: string; name: string }[];

const keys: readonly (readonly [string, string])[] = [
  ['j, ↓', 'the next one'],
  ['k, ↑', 'the one before'],
  ['y', 'keep it (yes), and say why'],
  ['r', 'revoke it, and say why'],
  ['s', 'shorten it, and say until when and why'],
  ['Y, R, S', 'the same for the reason that was given last'],
  ['x', 'select it, for several at once'],
  ['X', 'select all from the one selected last to here'],
  ['a', 'select all that are shown, or none'],
  ['u', 'undo the last step'],
  ['/', 'find'],
  ['Ctrl Enter', 'look over what is marked, and send it'],
];

export const CampaignKeys = ({ onClose }: { readonly onClose: () => void }) => (
  <Dialog label="Keys" onClose={onClose}>
    <Title order={2} size="h3" mb="sm">
      Keys
    </Title>
    <dl className="keys">
      {keys.map(([key, does]) => (
        <div key={key}>
          <dt>
            <Kbd>{key}</Kbd>
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
    <Button mt="md" onClick={onClose}>
      Close
    </Button>
  </Dialog>
);
