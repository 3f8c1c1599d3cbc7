# bash completion of kmem, kmemfs and kmemfs-do; names come from the tree itself.

_kmem_machines() {
	local dir
	for dir in "${KMEMFS_MACHINES:-}" /usr/share/kmemfs/machines /usr/local/share/kmemfs/machines; do
		[ -d "$dir" ] && ls "$dir" | sed -n 's/\.ini$//p'
	done
}

# Paths of the tree below the word: the entries of its directory.
_kmem_paths() {
	local dir=${1%"${1##*/}"}
	kmem ls "${dir:-/}" 2> /dev/null | sed "s|^|$dir|; s|@\$||"
}

_kmem() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	-m | --machine) COMPREPLY=($(compgen -W "$(_kmem_machines)" -- "$word")) ;;
	cat | ls | write | put | mkdir | rmdir | doc)
		compopt -o nospace
		COMPREPLY=($(compgen -W "$(_kmem_paths "$word")" -- "$word"))
		;;
	do) COMPREPLY=($(compgen -W "$(kmem ls -R control 2> /dev/null | awk '
		/:$/ { dir = $0; sub(":$", "", dir); sub("^control/?", "", dir) }
		!/:$/ && NF && !/\/$/ { print dir "/" $0 }')" -- "$word")) ;;
	replay | batch | --state | -s) COMPREPLY=($(compgen -f -- "$word")) ;;
	*) COMPREPLY=($(compgen -W "do cat ls write put mkdir rmdir replay batch doc verify export compare
		--machine --set --state --keep-going --version --help" -- "$word")) ;;
	esac
}

_kmemfs() {
	local word=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=($(compgen -W "$(_kmem_machines) --state --realtime --ram-limit --threads -f -o --help --version" -- "$word")
		$(compgen -d -- "$word"))
}

_kmemfs_do() {
	local word=${COMP_WORDS[COMP_CWORD]} mount=${COMP_WORDS[1]}
	case $COMP_CWORD in
	1) COMPREPLY=($(compgen -d -- "$word")) ;;
	2) COMPREPLY=($(cd "$mount/control" 2> /dev/null && compgen -W "$(find . -type f | sed 's|^\./||')" -- "$word")) ;;
	esac
}

complete -F _kmem kmem
complete -F _kmemfs kmemfs
complete -F _kmemfs_do kmemfs-do
