import type { Clock } from '@postern/runtime';
import type { Commands } from '../commands.ts';
import type { GrantsState } from '../state.ts';
import type { Answering } from './answer.ts';

/** What the routes of this room need. */
export type RouteDeps = Answering & { readonly commands: Commands; readonly state: GrantsState; readonly clock: Clock };
