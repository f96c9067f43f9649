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
  child.stderr.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-complaintMax);
  });
  const waiting: ((answer: PeerAnswer) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(JSON.parse(line) as PeerAnswer));
  const ended = endOf(child);
  void ended.then((how) => {
    for (const answer of waiting.splice(0)) answer({ error: `its process ended (${how}): ${complaint}` });
  });
  child.stdin.on('error', () => undefined);
  return {
    ask(request) {
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

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
}
