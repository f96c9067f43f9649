/** What can be said of the deployment files without Docker: that they name what they need, exactly, and that the log's configuration is one. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { provisioningForms } from '../dashboards/provisioning/schema.ts';
import { register } from '../runtime/cli/commands/run.ts';
import type { CommandContext } from '../runtime/cli/context.ts';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly command?: string | readonly string[];
}

const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, object>>;
};
const services = Object.entries(compose.services);
const provisioning = 'dashboards/generated/provisioning';
const provisioningNames = readdirSync(provisioning, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);

/** What stands behind `mach`, wherever an engine is started. */
const commandLines = [
  ...services.flatMap(([, { command }]) => (Array.isArray(command) && command[0] === 'run' ? [command] : [])),
  ...[...readFileSync('deploy/mach.service', 'utf8').matchAll(/^ExecStart=.* bin\/mach\.js (.*)$/gm)].map(
    ([, line = '']) => line.split(' '),
  ),
];

describe('the engines', () => {
  it('are started with options that there are', () => {
    const program = new Command();
    register(program, {} as CommandContext);
    const known = program.commands[0]?.options.map(({ long }) => long);
    expect(commandLines).toHaveLength(3);
    for (const line of commandLines) {
      expect(line[0]).toBe('run');
      const given = line.filter((word) => word.startsWith('--'));
      expect(given.length).toBeGreaterThan(2);
      expect(given.filter((option) => !known?.includes(option))).toEqual([]);
    }
  });
});

describe('compose.yaml', () => {
  it('has log, store, engine, and boards', () => {
    expect(services.map(([name]) => name).sort()).toEqual(['board-alerts', 'clickhouse', 'engine', 'grafana', 'nats']);
  });

  it.each(services)(
    '%s: an image of an exact version that may be a digest, a health check, its state on a volume',
    (_name, service) => {
      const [, , version] = /^\$\{[A-Z]+_IMAGE:-([^:}]+):([^}]+)\}$/.exec(service.image) ?? [];
      expect(version, service.image).toMatch(/^(\d+\.\d+(\.\d+)?(-[\w.]+)?|local)$/);
      expect(service.healthcheck?.test.length).toBeGreaterThan(1);
      const named = (service.volumes ?? [])
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((name) => /^\w/.test(name) && name in compose.volumes);
      expect(named.length).toBeGreaterThan(0);
    },
  );

  it('mounts what is there', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('./')));
    expect(mounted.length).toBeGreaterThan(3);
    for (const volume of mounted) expect(existsSync(volume.split(':')[0] ?? ''), volume).toBe(true);
  });

  it('pins with the script the images that it names', () => {
    const script = readFileSync('deploy/pin-images.sh', 'utf8');
    const text = readFileSync('compose.yaml', 'utf8');
    for (const [, name = '', image = ''] of text.matchAll(/\$\{(\w+_IMAGE):-([^}]+)\}/g)) {
      if (name !== 'MACH_IMAGE') expect(script).toContain(`pin ${name} ${image}`);
    }
  });

  it('gives Grafana every variable that its provisioning reads', () => {
    const given = Object.keys(compose.services.grafana?.environment ?? {});
    const read = provisioningNames
      .filter((name) => !name.includes('rules'))
      .flatMap((name) =>
        [...readFileSync(join(provisioning, name), 'utf8').matchAll(/\$([A-Z_]+)/g)].map(([, variable]) => variable),
      );
    expect(read.length).toBeGreaterThan(5);
    expect(read.filter((variable) => !given.includes(variable ?? ''))).toEqual([]);
  });
});

describe('provisioning files', () => {
  it.each(provisioningNames)('%s has the form that Grafana reads', (name) => {
    const form = provisioningForms[name];
    if (!form) throw new Error(`no form is written down for ${name}`);
    const { error } = form.safeParse(parse(readFileSync(join(provisioning, name), 'utf8')));
    expect(error?.message).toBeUndefined();
  });

  it('are refused with a key that Grafana would pass over in silence', () => {
    const name = 'datasources/mach.yaml';
    const file = parse(readFileSync(join(provisioning, name), 'utf8')) as {
      datasources: { jsonData: Record<string, string> }[];
    };
    for (const { jsonData } of file.datasources) jsonData.database = 'mach';
    expect(provisioningForms[name]?.safeParse(file).success).toBe(false);
  });
});

describe('the configuration of NATS', () => {
  it('is one, and syncs before it acknowledges', () => {
    const server =
      process.env.MACH_NATS_SERVER ?? (existsSync('.mach/bin/nats-server') ? '.mach/bin/nats-server' : 'nats-server');
    expect(() => execFileSync(server, ['-t', '-c', 'deploy/nats/nats.conf'], { stdio: 'pipe' })).not.toThrow();
    expect(readFileSync('deploy/nats/nats.conf', 'utf8')).toContain('sync_interval: always');
  });
});
