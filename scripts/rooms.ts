import { cruise, type ICruiseResult } from 'dependency-cruiser';

/** A file of tests is in no room. */
const TESTS = '(\\.test|/test-[a-z-]+|/manual-clock)\\.ts$';
/** The rooms: folders of src, and of src/trust and src/domain one floor deeper. */
const ROOM = /^src\/(?:(trust|domain)\/([^/]+)\/|([^/]+?)(?:\/|\.ts$))/;

type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

/** `docs/rooms.md`: who imports whom, types included, as dependency-cruiser finds it in the code. */
export async function rooms(): Promise<string> {
  const { output } = await cruise(['src'], {
    exclude: { path: TESTS },
    includeOnly: { path: '^src' },
    tsPreCompilationDeps: true,
  });
  const arrows = arrowsOf(output as ICruiseResult);
  const inner = (house: string) => only(arrows, (room) => room === house || room.startsWith(`${house}/`));
  return `# Rooms

Generated from the imports by \`npm run generate\`; do not edit. [Architecture](architecture.md) says what is in each room.

An arrow is an import, of a type too. \`make check\` refuses circles, and arrows that the rules do not have (\`dependency-cruiser.config.cjs\`). Where A imports B and C, and B imports C, the arrow from A to C is left out of a picture. \`src/api\` is left out too: every room but \`runtime\` and \`observability\` imports it.

## src

${flowchart(only(outer(arrows), (room) => room !== 'api'))}

## src/domain: decisions

${flowchart(inner('domain'))}

## src/trust: policy documents

${flowchart(inner('trust'))}
`;
}

function roomOf(path: string): string {
  const [, house, room, folder] = ROOM.exec(path) ?? [];
  return folder ?? `${house}/${room}`;
}

/** Files right in a house are a room of their own, by the name of the house. */
function arrowsOf({ modules }: ICruiseResult): Arrows {
  const arrows = new Map<string, Set<string>>();
  for (const { source, dependencies } of modules) {
    const from = roomOf(source);
    const to = arrows.get(from) ?? new Set();
    arrows.set(from, to);
    for (const { resolved } of dependencies) if (roomOf(resolved) !== from) to.add(roomOf(resolved));
  }
  return arrows;
}

/** The houses without their rooms. */
function outer(arrows: Arrows): Arrows {
  const house = (room: string) => room.split('/')[0] ?? room;
  const merged = new Map<string, Set<string>>();
  for (const [from, to] of arrows) {
    const all = merged.get(house(from)) ?? new Set();
    merged.set(house(from), all);
    for (const room of to) if (house(room) !== house(from)) all.add(house(room));
  }
  return merged;
}

function only(arrows: Arrows, isMeant: (room: string) => boolean): Arrows {
  return new Map([...arrows].filter(([from]) => isMeant(from)).map(([from, to]) => [from, new Set([...to].filter(isMeant))]));
}

function flowchart(arrows: Arrows): string {
  const lines = [...arrows]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    .flatMap(([from, to]) => {
      const direct = [...to].filter((room) => ![...to].some((other) => other !== room && reaches(arrows, other, room))).sort();
      return direct.length === 0 ? [`  ${box(from)}`] : [`  ${box(from)} --> ${direct.map(box).join(' & ')}`];
    });
  return ['```mermaid', 'flowchart TD', ...lines, '```'].join('\n');
}

/** Without a circle each way ends. */
function reaches(arrows: Arrows, from: string, to: string): boolean {
  return [...(arrows.get(from) ?? [])].some((room) => room === to || reaches(arrows, room, to));
}

const box = (room: string): string => `${room.replaceAll(/\W/g, '_')}["${room.split('/').at(-1)}"]`;
