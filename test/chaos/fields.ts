import { allFields, sweepFields } from './fields/index.ts';

/** Each field of both CRDs with every value that its schema suggests: valid, at a bound, beyond it, removed, rolled back. `npm run chaos:fields`. */
const started = performance.now();
const { wrong, fields, ...counts } = await sweepFields(allFields(), (line) => console.log(line));
for (const one of wrong) console.error(`WRONG ${one}`);
console.log(
  `${fields.length} fields: ${JSON.stringify(counts)}; ${wrong.length} wrong, in ${((performance.now() - started) / 1_000).toFixed(0)} s`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
