import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { unpacked } from './debian.ts';

const run = promisify(execFile);

/** A shell as a program, and what it needs to run from where it is. */
interface Shell {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it is unpacked; undefined: installed. */
  readonly root: string | undefined;
}

const PACKAGES = ['zsh', 'zsh-common', 'fish', 'fish-common', 'libpcre2-32-0'];

/** From PATH, else from packages of Debian, which are unpacked into a folder of their own: nothing is installed. */
export async function shell(name: 'zsh' | 'fish'): Promise<Shell> {
  const installed = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const program = installed.find((path) => existsSync(path));
  if (program !== undefined) return { program, env: {}, root: undefined };
  const root = await unpacked('shells', PACKAGES).catch((error: Error) => {
    throw new Error(`there is no ${name} in PATH, and apt-get download did not bring it: ${error.message}. Install ${name}`);
  });
  const found = [join(root, 'bin', name), join(root, 'usr', 'bin', name)].find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the package ${name} has no program ${name}`);
  const libraries = readdirSync(join(root, 'usr', 'lib')).map((folder) => join(root, 'usr', 'lib', folder));
  return { program: found, env: { LD_LIBRARY_PATH: libraries.join(':') }, root };
}

interface At {
  /** With irsa-operator, and for kubectl. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** For files of the shell. */
  readonly folder: string;
}

/** What each shell makes of a line and the tab key: the words that it offers, or of zsh the line as it then is. */
export const TAB: Readonly<Record<'bash' | 'zsh' | 'fish', (line: string, at: At) => Promise<string[]>>> = {
  async bash(line, { path, env, folder }) {
    const script = `
      source <(irsa-operator completion bash)
      COMP_POINT=\${#COMP_LINE}
      # What the tab key calls.
      function=$(complete -p irsa-operator | sed 's/.*-F //; s/ .*//')
      "$function" 2> /dev/null
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-c', script], { cwd: folder, env: { PATH: path, ...env, COMP_LINE: line } });
    return stdout.split('\n').filter((word) => word !== '');
  },

  async fish(line, { path, env, folder }) {
    const { program, env: own, root } = await shell('fish');
    const functions = root === undefined ? '' : `set -p fish_function_path ${root}/usr/share/fish/functions; `;
    const script = `${functions}irsa-operator completion fish | source; complete -C "$LINE"`;
    const { stdout } = await run(program, ['--no-config', '-c', script], {
      cwd: folder,
      env: { PATH: path, HOME: folder, ...env, ...own, LINE: line },
    });
    return stdout.split('\n').flatMap((word) => (word === '' ? [] : [word.split('\t')[0] ?? '']));
  },

  async zsh(line, { path, env, folder }) {
    const { program, env: own, root } = await shell('zsh');
    const out = mkdtempSync(join(folder, 'zsh-'));
    const modules = root === undefined ? '' : `module_path=(${root}/usr/lib/*/zsh/*(/))`;
    const functions = root === undefined ? '' : `fpath=(${root}/usr/share/zsh/functions/**/*(/))`;
    // A terminal of its own, in which the keys are typed, and a key that writes down what is then on the line.
    writeFileSync(
      join(out, 'inner.zsh'),
      [
        functions,
        'autoload -Uz compinit && compinit -u -D',
        'source <(irsa-operator completion zsh)',
        `write-line() { print -r -- "$BUFFER" > ${out}/line }`,
        "zle -N write-line && bindkey '^X^X' write-line",
        `print > ${out}/ready`,
      ].join('\n'),
    );
    writeFileSync(
      join(out, 'outer.zsh'),
      [
        modules,
        'zmodload zsh/zpty',
        `zpty shell ${program} -f -i`,
        `zpty -w shell '${modules}; source ${out}/inner.zsh'`,
        `wait-for() { repeat 200; do [[ -e $1 ]] && return; zpty -rt shell > /dev/null; sleep 0.1; done; return 1 }`,
        `wait-for ${out}/ready || exit 1`,
        `zpty -wn shell "$LINE"$'\\t\\C-x\\C-x'`,
        `wait-for ${out}/line || exit 1`,
        `sleep 0.1; print -r -- "$(< ${out}/line)"`,
        'zpty -d shell',
      ].join('\n'),
    );
    const { stdout } = await run(program, ['-f', join(out, 'outer.zsh')], {
      cwd: folder,
      env: { PATH: path, HOME: folder, TERM: 'dumb', ...env, ...own, LINE: line },
      timeout: 60_000,
    });
    return [stdout.trimEnd()];
  },
};
