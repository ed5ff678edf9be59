import type { SHELLS } from './complete.ts';

/** What a shell sources. Each asks the program itself for words, by `__complete`, in the form of cobra: a word, a tab and its help in a line, and at the end `:0` where files are meant, else `:4`. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# bash completion of irsa-operator. Add to ~/.bashrc: source <(irsa-operator completion bash)
__irsa_operator() {
  local line word
  local -a words
  # Not COMP_WORDS, which bash splits at "=" and ":" too.
  read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=('')
  word="\${words[\${#words[@]} - 1]}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :0) compopt -o default 2> /dev/null ;;
      :*) ;;
      *)
        line="\${line%%$'\\t'*}"
        # bash replaces only what follows the "=".
        [[ "$word" == *=* && "$COMP_WORDBREAKS" == *=* ]] && line="\${line#*=}"
        COMPREPLY+=("$line")
        ;;
    esac
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2> /dev/null)
}
complete -F __irsa_operator irsa-operator kubectl-irsa
`,
  zsh: `#compdef irsa-operator kubectl-irsa
# zsh completion of irsa-operator. Write it to a folder of $fpath as _irsa-operator, or source it after compinit.
_irsa-operator() {
  local line directive
  local -a found
  for line in "\${(@f)$("$words[1]" __complete "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2> /dev/null)}"; do
    case "$line" in
      '') ;;
      :*) directive="\${line#:}" ;;
      *$'\\t'*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) found+=("\${line//:/\\\\:}") ;;
    esac
  done
  if [[ "$directive" == 0 ]]; then
    _files
  else
    _describe irsa-operator found
  fi
}
if [[ "$funcstack[1]" == _irsa-operator ]]; then
  _irsa-operator "$@"
else
  compdef _irsa-operator irsa-operator kubectl-irsa
fi
`,
  fish: `# fish completion of irsa-operator. Write it to ~/.config/fish/completions/irsa-operator.fish
function __irsa_operator
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  set -l found ($words[1] __complete $words[2..-1] "$word" 2> /dev/null)
  if test "$found[-1]" = ':0'
    __fish_complete_path "$word"
  else
    string match -v -r '^:' -- $found
  end
end
for program in irsa-operator kubectl-irsa
  complete -c $program -e
  complete -c $program -f -a '(__irsa_operator)'
end
`,
};
