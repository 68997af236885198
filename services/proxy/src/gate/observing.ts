/**
 * Observe mode: a service that was put behind the gate a short while ago refuses nobody for want of a grant, until a date that its
 * configuration names. Every would-be refusal is recorded as such, so that roles can be made of it before the date comes.
 * Nothing else is let through by it: no bad credential, no request that can be read in two ways, nobody who has left.
 */
import type { Clock, Logger } from '@postern/runtime';
import { type Organisation, posternService, type refusalReasons } from '@postern/schemas';
import type { Caller } from '../identify/identity.ts';

/** Service name → until when it is only observed (RFC 3339). */
export type ObservedServices = Readonly<Record<string, string>>;
export type ObservedReason = 'no-grant' | 'condition-unmet' | 'scope-missing';

export type Observing = {
  /** The first of the reasons that would have refused, where none of them counts now. Without a reason nothing is observed. */
  readonly passes: (
    service: string,
    caller: Pick<Caller, 'principal' | 'actors'> | undefined,
    refusedFor: readonly (typeof refusalReasons)[number][],
  ) => ObservedReason | undefined;
  readonly now: () => readonly { readonly service: string; readonly until: string }[];
  readonly configure: (services: ObservedServices) => void;
  /** Says it in the log, now and each minute until it is over. */
  readonly start: () => void;
  readonly stop: () => void;
};

const saidEveryMs = 60_000;
const reasons: ReadonlySet<string> = new Set<ObservedReason>(['no-grant', 'condition-unmet', 'scope-missing']);
const isObservable = (reason: string): reason is ObservedReason => reasons.has(reason);

export const observing = (
  services: ObservedServices,
  { organisation, clock, log }: { organisation: Pick<Organisation, 'principals'>; clock: Clock; log: Logger },
): Observing => {
  let configured = services;
  let timer: NodeJS.Timeout | undefined;
  const isObserved = (service: string): boolean => {
    const until = Object.hasOwn(configured, service) ? configured[service] : undefined;
    return service !== posternService && until !== undefined && clock.now() < Date.parse(until);
  };
  const now = () =>
    Object.entries(configured).flatMap(([service, until]) => (isObserved(service) ? [{ service, until }] : []));
  const say = (): void => {
    for (const observed of now())
      log.warn(observed, 'OBSERVE MODE: this service refuses nobody for want of a grant until then');
  };
  return {
    passes: (service, caller, refusedFor) => {
      if (caller === undefined || !refusedFor.every(isObservable) || !isObserved(service)) return undefined;
      const left = [caller.principal, ...caller.actors].some(
        (each) => organisation.principals.get(each)?.state === 'left',
      );
      return left ? undefined : refusedFor[0];
    },
    now,
    configure: (services) => {
      configured = services;
      say();
    },
    start: () => {
      say();
      timer = setInterval(say, saidEveryMs).unref();
    },
    stop: () => clearInterval(timer),
  };
};
