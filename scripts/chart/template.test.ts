import { expect, test } from 'vitest';
import { included, type Manifest, manifestsIn, more, optional } from './template.ts';

const YAML = `# About the file.
kind: A
metadata:
  name: "x"   # Comments stay.
  labels: {own: "1"}
spec:
  list: [one, two]
  containers:
    - name: c
`;

function edited(edit: (manifest: Manifest) => void): string {
  const [manifest] = manifestsIn(YAML);
  if (manifest === undefined) throw new Error('there is no manifest');
  edit(manifest);
  return manifest.toString();
}

test('a value becomes text of a template without the quotes that it had', () => {
  expect(edited((manifest) => manifest.set(['metadata', 'name'], '{{ .Values.x | quote }}-a'))).toContain(
    '  name: {{ .Values.x | quote }}-a\n',
  );
});

test('members are put in place of those of a map, behind them, or where there was no map, at its indentation', () => {
  expect(edited((manifest) => manifest.members(['metadata', 'labels'], included('labels')))).toContain(
    '  labels:\n    {{- include "irsa-operator.labels" . | nindent 4 }}\n',
  );
  expect(edited((manifest) => manifest.members(['metadata', 'labels'], more('.Values.l'), { after: true }))).toContain(
    '  labels:\n    own: "1"\n    {{- with .Values.l }}\n    {{- toYaml . | nindent 4 }}\n    {{- end }}\n',
  );
  expect(edited((manifest) => manifest.members(['spec', 'new'], included('n')))).toContain(
    '  new:\n    {{- include "irsa-operator.n" . | nindent 4 }}\n',
  );
  expect(edited((manifest) => manifest.members(['spec', 'containers', '0'], optional('env'), { after: true }))).toContain(
    '    - name: c\n      {{- with .Values.env }}\n      env:\n        {{- toYaml . | nindent 8 }}\n      {{- end }}\n',
  );
});

test('entries are put behind those of a list, which then has a line for each', () => {
  expect(edited((manifest) => manifest.entries(['spec', 'list'], more('.Values.l')))).toContain(
    '  list:\n    - one\n    - two\n    {{- with .Values.l }}\n    {{- toYaml . | nindent 4 }}\n    {{- end }}\n',
  );
  expect(() => edited((manifest) => manifest.entries(['spec'], more('.Values.l')))).toThrow('A: spec is no list');
});

test('what a template would take for an action is in no manifest', () => {
  const [manifest] = manifestsIn('kind: A\ntext: "{{ x }}"\n');
  expect(() => manifest?.toString()).toThrow('A: "{{" in a manifest would be an action of the template');
});
