import { GetRoleCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PARTITIONS, type Partition } from '../api/arn.ts';
import { awsClients } from './clients.ts';

interface Expected {
  readonly region: string;
  /** IAM is global: one endpoint a partition, and requests are signed for the region of its control plane. */
  readonly iam: string;
  readonly signedFor: string;
  /** STS is asked in the region of the caller. */
  readonly sts: string;
}

/** As botocore's endpoint rule sets have it. */
const partitions: Record<Partition, Expected> = {
  aws: { region: 'eu-central-1', iam: 'iam.amazonaws.com', signedFor: 'us-east-1', sts: 'sts.eu-central-1.amazonaws.com' },
  'aws-cn': {
    region: 'cn-northwest-1',
    iam: 'iam.cn-north-1.amazonaws.com.cn',
    signedFor: 'cn-north-1',
    sts: 'sts.cn-northwest-1.amazonaws.com.cn',
  },
  'aws-us-gov': {
    region: 'us-gov-east-1',
    iam: 'iam.us-gov.amazonaws.com',
    signedFor: 'us-gov-west-1',
    sts: 'sts.us-gov-east-1.amazonaws.com',
  },
  'aws-iso': {
    region: 'us-iso-west-1',
    iam: 'iam.us-iso-east-1.c2s.ic.gov',
    signedFor: 'us-iso-east-1',
    sts: 'sts.us-iso-west-1.c2s.ic.gov',
  },
  'aws-iso-b': {
    region: 'us-isob-east-1',
    iam: 'iam.us-isob-east-1.sc2s.sgov.gov',
    signedFor: 'us-isob-east-1',
    sts: 'sts.us-isob-east-1.sc2s.sgov.gov',
  },
  'aws-iso-e': {
    region: 'eu-isoe-west-1',
    iam: 'iam.eu-isoe-west-1.cloud.adc-e.uk',
    signedFor: 'eu-isoe-west-1',
    sts: 'sts.eu-isoe-west-1.cloud.adc-e.uk',
  },
  'aws-iso-f': {
    region: 'us-isof-east-1',
    iam: 'iam.us-isof-south-1.csp.hci.ic.gov',
    signedFor: 'us-isof-south-1',
    sts: 'sts.us-isof-east-1.csp.hci.ic.gov',
  },
  'aws-eusc': {
    region: 'eusc-de-east-1',
    iam: 'iam.eusc-de-east-1.amazonaws.eu',
    signedFor: 'eusc-de-east-1',
    sts: 'sts.eusc-de-east-1.amazonaws.eu',
  },
};

afterEach(() => vi.unstubAllEnvs());

function inRegion(region: string) {
  vi.stubEnv('AWS_REGION', region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  return awsClients('1.2.3', 'blue', {}, () => {});
}

interface Sent {
  readonly hostname: string;
  readonly headers: Record<string, string>;
}

/** What would go over the wire: the clients as they ship, but for the last step. */
function wire(...clients: { config: { requestHandler: unknown } }[]): Sent[] {
  const sent: Sent[] = [];
  const handle = async (request: Sent) => {
    sent.push(request);
    throw Object.assign(new Error('Rate exceeded'), {
      name: 'Throttling',
      $metadata: { httpStatusCode: 400 },
      $retryable: { throttling: true },
    });
  };
  for (const { config } of clients) config.requestHandler = { handle, metadata: { handlerProtocol: 'http/1.1' }, destroy: () => {} };
  return sent;
}

const credentialScope = ({ headers }: Sent) =>
  /Credential=[^/]+\/[0-9]{8}\/([^/]+)\/([^/]+)\//.exec(headers['authorization'] ?? '')?.slice(1);

describe('in partition', () => {
  for (const partition of PARTITIONS) {
    test(`${partition} IAM and STS are asked at their endpoints, signed for their regions`, async () => {
      const { region, iam: iamHost, signedFor, sts: stsHost } = partitions[partition];
      const { iam, sts } = inRegion(region);
      const sent = wire(iam, sts);
      await iam.send(new GetRoleCommand({ RoleName: 'x' })).catch(() => {});
      await sts.send(new GetCallerIdentityCommand({})).catch(() => {});
      expect(sent.map((request) => [request.hostname, credentialScope(request)])).toEqual([
        [iamHost, [signedFor, 'iam']],
        [stsHost, [region, 'sts']],
      ]);
    });
  }
});

test('of a custom endpoint the SDK does not know the region: it signs for that of the caller', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_IAM', 'https://iam.example.org');
  const { iam } = inRegion('eu-central-1');
  const sent = wire(iam);
  await iam.send(new GetRoleCommand({ RoleName: 'x' })).catch(() => {});
  expect(sent.map((request) => [request.hostname, credentialScope(request)])).toEqual([['iam.example.org', ['eu-central-1', 'iam']]]);
});

test('a throttled call is sent once by the SDK: retries are the limiter’s', async () => {
  const { iam } = inRegion('eu-central-1');
  const sent = wire(iam);
  await expect(iam.send(new GetRoleCommand({ RoleName: 'x' }))).rejects.toThrow('Rate exceeded');
  expect(sent.length).toBe(1);
});

// Contract: rule-user-agent
test('CloudTrail sees name, version and cluster in the user agent', async () => {
  const { iam } = inRegion('eu-central-1');
  const sent = wire(iam);
  await iam.send(new GetRoleCommand({ RoleName: 'x' })).catch(() => {});
  expect(sent[0]?.headers['user-agent']).toMatch(/ irsa-operator\/1\.2\.3 cluster\/blue\b/);
});
