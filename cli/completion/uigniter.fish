# SPDX-License-Identifier: Apache-2.0
# Completion of uigniter for fish: what could stand at the cursor is known to uigniter itself.

function __uigniter_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    for line in ($words[1] completion words -- $words[2..-1] "$last" 2>/dev/null)
        if test "$line" != :files
            echo $line
            continue
        end
        set -l head (string match -r -- '^--[^=]+=' "$last")
        for file in (__fish_complete_path (string replace -r -- '^--[^=]+=' '' "$last"))
            echo "$head$file"
        end
    end
end

complete -c uigniter -f -a '(__uigniter_complete)'
