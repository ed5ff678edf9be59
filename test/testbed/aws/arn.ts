/**
 * The partitions of AWS, each with the region that its global services are signed for when a client names none: `implicitGlobalRegion` in
 * the SDK's own partitions.json (https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json).
 */
export const PARTITIONS = {
  aws: 'us-east-1',
  'aws-cn': 'cn-northwest-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-iso': 'us-iso-east-1',
  'aws-iso-b': 'us-isob-east-1',
  'aws-iso-e': 'eu-isoe-west-1',
  'aws-iso-f': 'us-isof-south-1',
  'aws-eusc': 'eusc-de-east-1',
} as const;

export type Partition = keyof typeof PARTITIONS;

/** What of an account is in the ARNs of all that is in it. */
interface Owner {
  readonly id: string;
  readonly partition: Partition;
}

/** `arn:aws-cn:iam::111122223333:role/lbc`. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function arnOf({ id, partition }: Owner, service: 'iam' | 'sts' | 'eks', resource: string): string {
  const region = service === 'eks' ? PARTITIONS[partition] : '';
  return `arn:${partition}:${service}:${region}:${id}:${resource}`;
}

/** The account and the partition that an ARN of IAM or STS names, whether they are there or not. */
export function ownerIn(arn: string): { readonly id: string; readonly partition: string } | undefined {
  const [, partition, id] = /^arn:([a-z-]+):(?:iam|sts)::(\d{12}):/.exec(arn) ?? [];
  return partition === undefined || id === undefined ? undefined : { id, partition };
}
