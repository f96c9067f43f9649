/** What all views of the page share: the language, who is here, what time it is, how the engine is. */
import type { Language } from '../view/language.ts';
import { api, type ClockAnswer, type Session } from './api.ts';
import { languageOfAddress } from './place.ts';

export interface PageState {
  readonly language: Language;
  readonly session: Session;
  /** Engine time as it was at the last look, ms. */
  readonly now: number;
  readonly clock: ClockAnswer | undefined;
  /** When the server answered last, ms of `performance.now`. */
  readonly answeredAt: number;
  readonly isAway: boolean;
  may(role: string): boolean;
  /** Asks the server for the time; when it does not answer the last one stays. Never rejects. */
  look(): Promise<void>;
  /** Opens what can be done about an alert. */
  act(alertId: string): void;
}

export async function makeState(onChange: () => void, act: (alertId: string) => void): Promise<PageState> {
  const session = await api.session();
  let clock: ClockAnswer | undefined;
  let now = Date.now();
  let answeredAt = performance.now();
  let isAway = false;
  return {
    get language() {
      return languageOfAddress();
    },
    session,
    get now() {
      return now;
    },
    get clock() {
      return clock;
    },
    get answeredAt() {
      return answeredAt;
    },
    get isAway() {
      return isAway;
    },
    may: (role) => session.roles.includes(role),
    async look() {
      try {
        clock = await api.clock();
        now = clock.now;
        answeredAt = performance.now();
        isAway = false;
      } catch {
        isAway = true;
      }
      onChange();
    },
    act,
  };
}
