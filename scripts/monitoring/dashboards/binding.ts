import { type Page, stack, timeline } from './panel.ts';

const BINDING = 'namespace="$namespace",name="$name"';
/** A binding that is Ready has no condition here, and one without pods has no pods. */
const OF_BINDINGS = '{__name__=~"irsa_pods|irsa_binding_status_condition"';

/** For the owner of one binding. */
export const BINDING_PAGE: Page = {
  uid: 'irsa-operator-binding',
  title: 'irsa-operator / One binding',
  variables: [
    { name: 'namespace', query: `label_values(${OF_BINDINGS}}, namespace)` },
    { name: 'name', query: `label_values(${OF_BINDINGS},namespace="$namespace"}, name)` },
  ],
  rows: {
    '$namespace / $name': [
      timeline({
        title: 'Conditions',
        description: 'Which conditions are True. A binding of which everything is True has no series here.',
        queries: [{ expr: `max by (condition) (irsa_binding_status_condition{${BINDING},status="True"})`, legend: '{{condition}}' }],
      }),
      timeline({
        title: 'Findings',
        description: 'Each code has a page in docs/findings.',
        queries: [{ expr: `max by (code) (irsa_binding_findings{${BINDING}})`, legend: '{{code}}' }],
      }),
      stack({
        title: 'Pods',
        description: 'Stale pods do not have the role yet. Exempt ones need none.',
        queries: [{ expr: `max by (state) (irsa_pods{${BINDING}})`, legend: '{{state}}' }],
      }),
      timeline({
        title: 'Alerts',
        description: 'Alerts about this binding that are pending or fire.',
        queries: [{ expr: `max by (alertname, alertstate) (ALERTS{${BINDING}})`, legend: '{{alertname}} {{alertstate}}' }],
      }),
    ],
  },
};
