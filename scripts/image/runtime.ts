/** How the operator runs in a container. The Dockerfile and the manifests say the same, and a test compares them. */

/** Where they are in an image of `make image`. */
export const NODE = '/usr/local/bin/node';
export const PROGRAM = '/irsa-operator.mjs';

/** Of the user and the group, who are nobody on the node. Images of distroless have the same. By number, so that Kubernetes sees that it is not root. */
export const USER_ID = 65_532;
export const USER = `${USER_ID}:${USER_ID}`;
/** Metrics, and health. */
export const PORTS = ['8080', '8081'] as const;
export const COMMAND = ['run'] as const;

/**
 * Of Node: a young generation of 12 MB at most, and a heap that leaves room for the rest of the process below the memory limit of `config/manager`. With 200
 * bindings they save 70 MiB. A variable of the environment, so that a larger cluster can have others.
 */
export const NODE_OPTIONS = '--max-semi-space-size=4 --max-old-space-size=160';
