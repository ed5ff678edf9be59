import { join } from 'node:path';
import { type Identity, makeServerIdentity } from '../pki/certificate.ts';
import type { Pki } from '../pki/index.ts';
import { connect } from '../api.ts';
import { writeKubeconfig } from '../kubeconfig.ts';
import { writeAuditPolicy } from './audit.ts';
import type { Launch } from './component.ts';

/** Megabytes. The log is not to be rotated away while a test reads it; a benchmark writes a few hundred. */
const AUDIT_LOG_MAX_SIZE = '2000';

/** The first address of the service range: clients inside a cluster would dial it. */
const SERVICE_RANGE = '10.0.0.0/24';
