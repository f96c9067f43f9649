/** The process of a contender: one request at a time, kept warm between them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { PeerAnswer, PeerRequest } from '../peers/request.ts';
import type { Contender } from './contenders.ts';

/** Of standard error, what an error quotes. */
const complaintMax = 2_000;

export interface PeerProcess {
  ask(request: PeerRequest): Promise<PeerAnswer>;
  stop(): Promise<void>;
}

export function startPeer(contender: Contender, answerWithinMs: number): PeerProcess {
  const [program, ...args] = contender.command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: contender.folder });
  let complaint = '';
  const complain = (text: string) => {
    complaint = `${complaint}${text}`.slice(-complaintMax);
  };
  child.stderr.setEncoding('utf8').on('data', complain);
  const waiting: ((answer: PeerAnswer) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = answerOf(line);
    // A library of it may print what it likes: that is no answer, and may say why there is none.
    if (answer) waiting.shift()?.(answer);
    else complain(`${line}\n`);
  });
  const ended = endOf(child);
  let end: { error: string } | undefined;
  void ended.then((how) => {
    end = { error: `its process ended (${how}): ${complaint}` };
    for (const answer of waiting.splice(0)) answer(end);
  });
  child.stdin.on('error', () => undefined);
  return {
    ask(request) {
      if (end) return Promise.resolve(end);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
          resolve({ error: `no answer within ${answerWithinMs / 1_000} s` });
        }, answerWithinMs);
        waiting.push((answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
        child.stdin.write(`${JSON.stringify({ ...request, ...contender.request })}\n`);
      });
    },
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function answerOf(line: string): PeerAnswer | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as PeerAnswer;
  } catch {
    return undefined;
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
}
