import type { Container, Pod, PodStatus, Volume } from './pod.ts';

/** A pod for tests, with one container unless told otherwise. */
export function aPod({
  containers = [aContainer()],
  volumes = [],
  status,
}: {
  containers?: Container[];
  volumes?: Volume[];
  status?: PodStatus;
}): Pod {
  const metadata = { uid: 'u-1', name: 'lbc-1', namespace: 'kube-system', resourceVersion: '7' };
  return {
    metadata,
    spec: { nodeName: 'kwok-0', serviceAccountName: 'lbc', containers, volumes },
    ...(status === undefined ? {} : { status }),
  };
}

export function aContainer(rest: Partial<Container> = {}): Container {
  return { name: 'controller', image: 'lbc:v2', ...rest };
}

export const TOKEN_FOLDER = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

/** As the EKS webhook leaves it. */
export function injected(rest: Partial<Container> = {}): Container {
  return aContainer({
    env: [
      { name: 'AWS_REGION', value: 'us-east-1' },
      { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/lbc' },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${TOKEN_FOLDER}/token` },
    ],
    volumeMounts: [
      { name: 'kube-api-access-x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      { name: 'aws-iam-token', mountPath: TOKEN_FOLDER },
    ],
    ...rest,
  });
}

export const TOKEN_VOLUME: Volume = {
  name: 'aws-iam-token',
  projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'sts.amazonaws.com', expirationSeconds: 86400 } }] },
};
