import type { Finding } from '../../api/finding.ts';

/** What an operator says of itself and of its bindings, and what a person reads who has neither. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  // The issuer and its provider
  [/, so irsa-operator writes nothing/, ''],
  [/--oidc-issuer of irsa-operator/, '--issuer'],
  [/the audience of this binding/, 'the audience'],
  [/, so no grant can allow it\./, '.'],
  [/Set spec\.audience to/, 'Set the annotation of the audience to'],
  [/\. The binding then continues by itself$/, ''],
  // The role and its trust policy
  [/The binding says ("[^"]*")\. Correct spec\.roleArn: path and case count/, 'Named is $1. Correct the ARN: path and case count'],
  [/, so irsa-operator does not evaluate or change it/, ''],
  [/is a role that only AWS can change\. Bind a role of your own$/, 'is a role that only AWS can change. Use a role of your own'],
  [/ irsa-operator does not add a statement that would bypass this restriction\./, ''],
  [
    /has the Sid of irsa-operator, but not the form that irsa-operator writes\. .*To free the Sid, give/,
    'has the Sid that a fix needs. To free the Sid, give',
  ],
  // The ServiceAccount
  [/The role of the binding is/, 'The role that is meant is'],
  [/, or set spec\.tokenExpirationSeconds$/, ''],
  // The pods
  [/the bound ServiceAccount/, 'ServiceAccount'],
  [/lacks the role and is not restarted: /, 'lacks the role, and "kubectl rollout restart" does not replace it: '],
  [/\. The annotation irsa-operator\.dev\/restart=evict only deletes .*$/, ''],
  [/, or annotate the pod irsa-operator\.dev\/restart=evict\. That deletes the pod, and the Job/, ', or delete the pod. The Job'],
  [/ repeats its work in a new one$/, ' then repeats its work in a new one'],
  [/, or delete the binding$/, ''],
  [/Remove the association or the binding$/, 'Remove the association, or the annotation'],
];

/** Of one finding. Values between quotes may be any: only the sentences around them are known. */
export function forPerson(found: Finding): Finding {
  return { ...found, message: INSTEAD.reduce((message, [said, instead]) => message.replace(said, instead), found.message) };
}
