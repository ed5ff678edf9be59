import { bundle } from '../bundle.ts';
import { IMAGE, writeImage } from './image.ts';

/** `make image`: the image for every platform, as a folder in OCI's layout. */
await bundle();
const { digest, bytes } = await writeImage(IMAGE);
for (const [architecture, size] of Object.entries(bytes)) console.log(`linux/${architecture}: ${(size / 1e6).toFixed(1)} MB compressed`);
console.log(`wrote ${IMAGE} (${digest})`);
