import { BUNDLE, bundle } from './bundle.ts';

await bundle();
console.log(`wrote ${BUNDLE}`);
