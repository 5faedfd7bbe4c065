# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of uigniter for bash: what could stand at the cursor is known to uigniter itself.

_uigniter() {
	local rest=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} words=() trimmed word head='' i

	# Bash breaks words at = and : too. What has no blank before it belongs to the word before.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		trimmed=${rest#"${rest%%[![:space:]]*}"}
		word=$trimmed
		((i == COMP_CWORD)) || word=${COMP_WORDS[i]}
		if ((i > 0)) && [[ $trimmed == "$rest" ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		rest=${trimmed#"$word"}
	done
	# Only what is behind the last of them is replaced.
	[[ -z $breaks ]] || head=${words[-1]%"${words[-1]##*["$breaks"]}"}
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		if [[ $word == :files ]]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r word; do
				COMPREPLY+=("$word")
			done < <(compgen -f -- "${words[-1]#"$head"}")
		else
			COMPREPLY+=("${word#"$head"}")
		fi
	done < <("${words[0]}" completion words -- "${words[@]:1}" 2>/dev/null)
}

complete -F _uigniter uigniter
