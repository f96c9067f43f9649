/** All boards, in the order in which folders list them. A system adds its board here. */
import type { Board } from '../kit/board.ts';
import { alertInbox } from './alert-inbox.ts';
import { calls115 } from './calls-115.ts';
import { emergency } from './emergency.ts';
import { engine } from './engine.ts';
import { wall } from './wall.ts';

export const boards: readonly Board[] = [wall, emergency, calls115, alertInbox, engine];
