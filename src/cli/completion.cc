// `berth completion`: the scripts know nothing of berth's commands and flags but how to ask for them, so they
// hold for every version.
#include "cli/completion.h"

#include <string>

#include "cli/flags.h"

namespace berth::cli {

namespace {

// bash takes ':' and '=' for the ends of words, and replaces only what is behind them.
constexpr const char* kBash = R"(# bash completion for berth
_berth() {
  local line=${COMP_LINE:0:COMP_POINT} word
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current=${words[-1]} cut=
  case $current in
    *[:=]*) cut=${current%"${current##*[:=]}"} ;;
  esac
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2> /dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current#"$cut"}")
    elif [[ -n $word ]]; then
      COMPREPLY+=("${word#"$cut"}")
    fi
  done < <("${words[0]}" __complete -- "${words[@]:1}" 2> /dev/null)
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2> /dev/null; fi
}
complete -F _berth berth
)";

constexpr const char* kZsh = R"(#compdef berth
# zsh completion for berth
_berth() {
  local line word text files=0
  local -a found
  while IFS= read -r line; do
    word=${line%%$'\t'*}
    text=${line#*$'\t'}
    if [[ $word == :files ]]; then
      files=1
    elif [[ $text == $line ]]; then
      found+=("${word//:/\\:}")
    else
      found+=("${word//:/\\:}:$text")
    fi
  done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2> /dev/null)
  (( ${#found} )) && _describe -V berth found
  (( files )) && _files
}
if [[ $funcstack[1] == _berth ]]; then
  _berth "$@"
else
  compdef _berth berth
fi
)";

constexpr const char* kFish = R"(# fish completion for berth
function __berth_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2> /dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end
complete -c berth -f -a '(__berth_complete)'
)";

}  // namespace

Result<int> completion(const Invocation& invocation) {
  std::string shell;
  Flags line(
      invocation, "bash|zsh|fish",
      "Prints what a shell needs to complete berth's commands, flags and the names of containers, images, "
      "volumes and\n"
      "networks. The Debian package has it in place.",
      "  source <(berth completion bash)\n"
      "  berth completion zsh > /usr/local/share/zsh/site-functions/_berth\n"
      "  berth completion fish > ~/.config/fish/completions/berth.fish\n");
  line.word("shell", shell, Need::required);
  if (!TRY(line.parse())) return 0;
  const char* script = shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : nullptr;
  if (script == nullptr)
    return fail(Code::usage, "berth completion {}: it is one of bash, zsh and fish", shell);
  fmt::print("{}", script);
  return 0;
}

}  // namespace berth::cli
