import type { IAMClient } from '@aws-sdk/client-iam';
import type { CallAws } from '@irsa-operator/testbed/aws';

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * The double's IAM as a client that the adapters of src/aws take: no HTTP, no signature, no time of its own, so a test with a virtual clock
 * decides when anything happens. It knows the operations of the role adapter, whose input is flat.
 */
export function inProcessIam(call: CallAws): IAMClient {
  const send = async (command: Command, { abortSignal }: { abortSignal: AbortSignal }): Promise<unknown> => {
    const params = Object.fromEntries(Object.entries(command.input).map(([name, value]) => [name, String(value)]));
    try {
      return asOutput(await call('iam', command.constructor.name.replace(/Command$/, ''), params, abortSignal));
    } catch (error) {
      throw asSdkError(error);
    }
  };
  // Of the client the adapters use `send` alone; its overloads cannot be written by hand.
  return { send } as unknown as IAMClient;
}

/** A map of the wire is an object of the SDK. */
function asOutput(answer: Awaited<ReturnType<CallAws>>): unknown {
  return Object.fromEntries(
    Object.entries(answer ?? {}).map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
  );
}

/** The SDK gives an error of the service its code as the name, and leaves an error of the network as Node throws it. */
function asSdkError(error: unknown): unknown {
  if (error instanceof Error && 'status' in error && 'code' in error) error.name = String(error.code);
  return error;
}
