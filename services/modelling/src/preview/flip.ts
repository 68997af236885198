/** What a preview finds, and what it is made from. */
import type { Answer, EndpointId } from '@postern/schemas';
import type { Asking } from './asking.ts';
import type { Circumstance, Variant } from './gather.ts';
import type { Subject } from './use.ts';

export type Direction = 'allow-to-deny' | 'deny-to-allow';
export type Side = 'live' | 'here';
/** A pair of caller and endpoint whose calls are answered otherwise here than in the live model. */
export type Flip = {
  readonly direction: Direction;
  readonly subjects: readonly Subject[];
  /** Before and after; undefined: the call leads nowhere. */
  readonly live: EndpointId | undefined;
  readonly here: EndpointId | undefined;
  readonly example: string;
  readonly uses: number;
  readonly last: string;
  /** Some of the objects that flip, and how many there are. */
  readonly objects: readonly string[];
  readonly objectCount: number;
  readonly causes: readonly Cause[];
  readonly wanted: boolean;
};

/** `role`: by which it is (or was) allowed. `route`: the call goes elsewhere, or nowhere. `schema`: nothing else differs. */
export type Cause = {
  readonly kind: 'role' | 'route' | 'scope' | 'object' | 'schema';
  readonly what: string;
  readonly role?: string;
  /** `roles.yaml:12` */
  readonly place?: string;
};
export type Places = {
  readonly role: (role: string) => string | undefined;
  readonly endpoint: (endpoint: EndpointId) => string | undefined;
};

export type Asks = { readonly [Each in Side]: Asking };
export type Answered = {
  readonly variant: Variant;
  readonly at: Circumstance;
  readonly before: Answer | undefined;
  readonly after: Answer | undefined;
};
export type Flipped = Pick<Flip, 'direction' | 'example'> & {
  uses: number;
  last: string;
  readonly first: Answered;
  readonly variants: Set<Variant>;
};
