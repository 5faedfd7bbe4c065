#compdef uigniter
# SPDX-License-Identifier: Apache-2.0
# Completion of uigniter for zsh: what could stand at the cursor is known to uigniter itself.

_uigniter() {
	local -a lines names shown
	local line files=

	lines=("${(@f)$("${words[1]}" completion words -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
	for line in $lines; do
		if [[ $line == :files ]]; then
			files=1
		else
			names+=("${line%%$'\t'*}")
			shown+=("${line/$'\t'/  -- }")
		fi
	done
	(( ! $#names )) || compadd -l -d shown -a names
	if [[ -n $files ]]; then
		[[ $PREFIX != --*=* ]] || compset -P '*='
		_files
	fi
}

if [[ $funcstack[1] == _uigniter ]]; then
	_uigniter "$@"
else
	compdef _uigniter uigniter
fi
