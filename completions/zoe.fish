# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_zoe_global_optspecs
    string join \n config= host= deployment= color= q/quiet v/verbose h/help V/version
end

function __fish_zoe_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_zoe_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_zoe_using_subcommand
    set -l cmd (__fish_zoe_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c zoe -n "__fish_zoe_needs_command" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_needs_command" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_needs_command" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_needs_command" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_needs_command" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_needs_command" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_needs_command" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_needs_command" -s V -l version -d 'Print version'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "submit" -d 'Run a batch job on a Spark cluster of its own'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "cluster" -d 'Start an empty Spark cluster'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "notebook" -d 'Start a Jupyter notebook with a Spark cluster behind it'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "run" -d 'Run any application'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "ps" -d 'List what is alive, and why what waits does'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "queue" -d 'List what waits, the next first, with what it waits for'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "explain" -d 'Say why an execution waits, in full'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "show" -d 'Show one execution in full'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "open" -d 'Tell the address of a web interface'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "logs" -d 'Print what an execution wrote'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "top" -d 'Show what executions use now'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "history" -d 'List what has been'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "status" -d 'Show the nodes and what is free'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "simulate" -d 'Say what a workload would meet on other nodes, or under another policy'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "exec" -d 'Run a command inside an execution'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "wait" -d 'Wait until executions run or are over'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "hold" -d 'Keep executions back that wait'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "release" -d 'Let executions go on that are held'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "resubmit" -d 'Run the same again, but for what is said otherwise'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "resize" -d 'Give what runs more members, or fewer'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "keep" -d 'Keep an execution though nobody uses it'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "kill" -d 'End executions'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "rm" -d 'Forget executions that are over'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "watch" -d 'Keep everything moving in the background: start what waits, end what is over'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "app" -d 'List, show and check application descriptions'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "user" -d 'Enter users, and say what each may have'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "db" -d 'Look after the database: make it, bring it up to date, move it'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "proxy" -d 'Set up, show and check the web server before the applications'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "mail" -d 'Try whether mail arrives, and look after what could not be sent'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "images" -d 'Build, list and push the images'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "write-config" -d 'Write a commented sample of the configuration'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "config" -d 'Show or check the configuration'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "completions" -d 'Print what a shell needs to complete the command line'
complete -c zoe -n "__fish_zoe_needs_command" -f -a "man" -d 'Write the manual pages'
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l class -d 'The class to run in a .jar' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l main -d 'The file to run in a .zip or a directory' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l key -d 'Submit only if nothing was submitted with this key before; otherwise attach to that, or return its exit code' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l name -d 'What to call it; unique among the executions that are alive [default: made from what is run]' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l priority -d 'The greater goes first; without it 0, and below 0 last' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l after -d 'Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l time-limit -l timeout -d 'End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l mail-on -d 'Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the configuration says]' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l idle-timeout -d 'End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration says]' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -s e -l env -d 'Set a variable in every container; without =VALUE it has the caller\'s value. Not visible in `ps`, `show` or labels' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l volume -d 'Let every container see a directory of the Docker host, or a volume' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l set -d 'Set any field of the application: worker.core=3, master.memory=1g, driver.env.TZ=UTC, worker.placement.labels.disk=ssd' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l array -d 'Run it once for each index (0-9, or 0,2,5-7), at most so many at once (%3); each has its `ZOE_ARRAY_INDEX`' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l retries -d 'When it fails, run it again so many times at the most' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l retry-on -d 'Only when it fails with one of these exit codes: 75,111' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l workers -d 'Number of workers' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l max-workers -d 'The most workers it may have: more than --workers as there is room when it starts, and as `zoe resize` says later' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l worker-cores -d 'CPU limit of each worker: 2, 0.5' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l worker-memory -d 'Memory of each worker that Spark may use; the container gets 10 % more, at least 384 MiB' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l master-cores -d 'CPU limit of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l master-memory -d 'Memory of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l conf -d 'A Spark setting' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l driver-cores -d 'CPU limit of the driver' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l driver-memory -d 'Memory of the driver' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand submit" -s d -l detach -d 'Print the id and return at once'
complete -c zoe -n "__fish_zoe_using_subcommand submit" -l hold -d 'Keep it back until `zoe release`'
complete -c zoe -n "__fish_zoe_using_subcommand submit" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand submit" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand submit" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l name -d 'What to call it; unique among the executions that are alive [default: made from what is run]' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l priority -d 'The greater goes first; without it 0, and below 0 last' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l after -d 'Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l time-limit -l timeout -d 'End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l mail-on -d 'Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the configuration says]' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l idle-timeout -d 'End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration says]' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -s e -l env -d 'Set a variable in every container; without =VALUE it has the caller\'s value. Not visible in `ps`, `show` or labels' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l volume -d 'Let every container see a directory of the Docker host, or a volume' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l set -d 'Set any field of the application: worker.core=3, master.memory=1g, driver.env.TZ=UTC, worker.placement.labels.disk=ssd' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l workers -d 'Number of workers' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l max-workers -d 'The most workers it may have: more than --workers as there is room when it starts, and as `zoe resize` says later' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l worker-cores -d 'CPU limit of each worker: 2, 0.5' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l worker-memory -d 'Memory of each worker that Spark may use; the container gets 10 % more, at least 384 MiB' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l master-cores -d 'CPU limit of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l master-memory -d 'Memory of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l conf -d 'A Spark setting' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -s d -l detach -d 'Print the id and return at once'
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -l hold -d 'Keep it back until `zoe release`'
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand cluster" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l name -d 'What to call it; unique among the executions that are alive [default: made from what is run]' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l priority -d 'The greater goes first; without it 0, and below 0 last' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l after -d 'Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l time-limit -l timeout -d 'End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l mail-on -d 'Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the configuration says]' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l idle-timeout -d 'End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration says]' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -s e -l env -d 'Set a variable in every container; without =VALUE it has the caller\'s value. Not visible in `ps`, `show` or labels' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l volume -d 'Let every container see a directory of the Docker host, or a volume' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l set -d 'Set any field of the application: worker.core=3, master.memory=1g, driver.env.TZ=UTC, worker.placement.labels.disk=ssd' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l workers -d 'Number of workers' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l max-workers -d 'The most workers it may have: more than --workers as there is room when it starts, and as `zoe resize` says later' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l worker-cores -d 'CPU limit of each worker: 2, 0.5' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l worker-memory -d 'Memory of each worker that Spark may use; the container gets 10 % more, at least 384 MiB' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l master-cores -d 'CPU limit of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l master-memory -d 'Memory of the master' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l conf -d 'A Spark setting' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l notebook-cores -d 'CPU limit of the notebook itself' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l notebook-memory -d 'Memory of the notebook itself' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l attach -d 'Stay, and end the notebook on Ctrl-C'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -s d -l detach -d 'Print the id and return at once'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -l hold -d 'Keep it back until `zoe release`'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand notebook" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand run" -l key -d 'Run it only if nothing was run with this key before; otherwise attach to that, or return its exit code' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l name -d 'What to call it; unique among the executions that are alive [default: made from what is run]' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l priority -d 'The greater goes first; without it 0, and below 0 last' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l after -d 'Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l time-limit -l timeout -d 'End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l mail-on -d 'Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the configuration says]' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand run" -l idle-timeout -d 'End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration says]' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -s e -l env -d 'Set a variable in every container; without =VALUE it has the caller\'s value. Not visible in `ps`, `show` or labels' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l volume -d 'Let every container see a directory of the Docker host, or a volume' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l set -d 'Set any field of the application: worker.core=3, master.memory=1g, driver.env.TZ=UTC, worker.placement.labels.disk=ssd' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l array -d 'Run it once for each index (0-9, or 0,2,5-7), at most so many at once (%3); each has its `ZOE_ARRAY_INDEX`' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l retries -d 'When it fails, run it again so many times at the most' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l retry-on -d 'Only when it fails with one of these exit codes: 75,111' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand run" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand run" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand run" -s d -l detach -d 'Print the id and return at once'
complete -c zoe -n "__fish_zoe_using_subcommand run" -l hold -d 'Keep it back until `zoe release`'
complete -c zoe -n "__fish_zoe_using_subcommand run" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand run" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand run" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l filter -d 'Only executions with this: id (or its beginning), name, user, application or state; may be given several times' -r
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s o -l output -d 'In which form: table, wide, json, jsonl, csv or name' -r -f -a "table\t'A table'
wide\t'A table with more columns'
json\t'One JSON array'
jsonl\t'A JSON object a line'
csv\t'Comma-separated values'
name\t'An id a line'"
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l format -d 'A line for each execution by a Jinja template over the keys of the JSON: \'{{ id }} {{ state }}\'' -r
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l columns -d 'Which columns a table or CSV has: id,name,user,state and others' -r
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s a -l all -d 'Those that have ended, too: the last 50'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s q -l quiet -d 'Ids alone, one a line (the same as -o name)'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s w -l watch -d 'Stay, and show every change until Ctrl-C'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand ps" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand queue" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand queue" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand queue" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand queue" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand queue" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand queue" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand queue" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand queue" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand explain" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand explain" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand explain" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand explain" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand explain" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand explain" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand explain" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand explain" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand show" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand show" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand show" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand show" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand show" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand show" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand show" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand show" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand open" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand open" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand open" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand open" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand open" -s b -l browser -d 'Open it in a browser, too: $BROWSER, or the desktop\'s'
complete -c zoe -n "__fish_zoe_using_subcommand open" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand open" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand open" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l since -d 'Only what was written since: 10m (ago), or a time' -r
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s n -l tail -d 'Only so many lines of each member, from the end' -r
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l attempt -d 'Of a job that was run again because it failed: those of this run, from 1 [default: the last]' -r
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand logs" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s a -l all -d 'Every member of every component'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s f -l follow -d 'Go on as more comes'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s t -l timestamps -d 'Begin each line with the time it was written'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand logs" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand top" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand top" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand top" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand top" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand top" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand top" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand top" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand top" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand top" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand history" -l user -d 'Whose' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l application -d 'Of which application' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l name -d 'Called so' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l state -d 'How they ended: finished, failed or cancelled' -r -f -a "finished\t'Well'
failed\t'Not well, or out of time'
cancelled\t'Ended by somebody'"
complete -c zoe -n "__fish_zoe_using_subcommand history" -l since -d 'Submitted since: 7d (ago), 2026-11-22, or a time' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l until -d 'Submitted before' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -s n -l limit -d 'At most so many, the newest first [default: 50; as a workload all]' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l at -d 'What ran then: 2h (ago), 2026-11-22, or a time' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l after -d 'The page that follows on this one: its last line, by id or name' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -s o -l output -d 'In which form: table, wide, json, jsonl, csv or name' -r -f -a "table\t'A table'
wide\t'A table with more columns'
json\t'One JSON array'
jsonl\t'A JSON object a line'
csv\t'Comma-separated values'
name\t'An id a line'"
complete -c zoe -n "__fish_zoe_using_subcommand history" -l format -d 'A line for each execution by a Jinja template over the keys of the JSON: \'{{ id }} {{ state }}\'' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l columns -d 'Which columns a table or CSV has: id,name,user,state and others' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l sum -d 'Add up: executions, core-hours and GiB-hours by user or application' -r -f -a "user\t'By user'
application\t'By application'"
complete -c zoe -n "__fish_zoe_using_subcommand history" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand history" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand history" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand history" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand history" -l as-workload -d 'As a workload for `zoe simulate`, in CSV: how large they were, and how long they took'
complete -c zoe -n "__fish_zoe_using_subcommand history" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand history" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand history" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand status" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand status" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand status" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand status" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand status" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand status" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand status" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand status" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l generate -d 'Make a workload up instead: google-like:COUNT[:SEED[:LOAD]]' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l nodes -d 'The nodes: how many, their cores and their memory, such as 100x32c128g or 4x8c16g,2x16c64g' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l policy -d 'The policies: fifo, size, dynsize, hrrn, fair; several with commas, or all' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l mode -d 'The modes: rigid, flexible; both with a comma, or all' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l time-limits -d 'Give every application that has no time limit one: FACTOR times its runtime. Where it reaches that it is ended; and who ends before others need the room goes before them' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l svg -d 'Draw it, too, in this file; \'-\' prints the picture in place of the table' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l save -d 'Write the workload as CSV to this file; \'-\' prints it in place of the table. Without --nodes that is all' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand simulate" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand exec" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand exec" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand exec" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand exec" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand exec" -s i -l input -d 'Pass standard input on [default: if it is a terminal]'
complete -c zoe -n "__fish_zoe_using_subcommand exec" -s T -l no-terminal -d 'Give the command no terminal, even on one'
complete -c zoe -n "__fish_zoe_using_subcommand exec" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand exec" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand exec" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l for -d 'What to wait for: running (and ready), or ended' -r -f -a "running\t'Until it runs and is ready'
ended\t'Until it is over'"
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l timeout -d 'Wait no longer than this (exit code 124); the executions go on' -r
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand wait" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand wait" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand wait" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand wait" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand hold" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand hold" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand hold" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand hold" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand hold" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand hold" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand hold" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand release" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand release" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand release" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand release" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand release" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand release" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand release" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l name -d 'What to call it [default: made from what is run]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -s e -l env -d 'Set a variable in every container; without =VALUE it has the caller\'s value' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l conf -d 'A Spark setting' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l priority -d 'The greater goes first; without it 0, and below 0 last' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l after -d 'Start it only when that one is over: well (EXEC or EXEC:ok), or in any way (EXEC:any); may be repeated' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l time-limit -l timeout -d 'End it when it has run for so long (exit code 124): 30s, 10m, 2h, 1h30m. Small ones with a limit are let past' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l mail-on -d 'Write to its owner when it ends: end, only when that was not well: fail, or never [default: what `zoe user` or the configuration says]' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l idle-timeout -d 'End it when nobody has used it for so long: 30m, 4h, 1d, or never [default: what the application or the configuration says]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l retries -d 'When it fails, run it again so many times at the most' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l retry-on -d 'Only when it fails with one of these exit codes: 75,111' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -s d -l detach -d 'Print the id and return at once'
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -l hold -d 'Keep it back until `zoe release`'
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand resubmit" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand resize" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand resize" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand resize" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resize" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand resize" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand resize" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand resize" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand resize" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand keep" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand keep" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand keep" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand keep" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand keep" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand keep" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand keep" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand keep" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand kill" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand kill" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand kill" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand kill" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand kill" -l all -d 'All of the deployment; where there are admins and you are none, all of yours'
complete -c zoe -n "__fish_zoe_using_subcommand kill" -s y -l yes -d 'Do not ask'
complete -c zoe -n "__fish_zoe_using_subcommand kill" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand kill" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand kill" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand rm" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand rm" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand rm" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand rm" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand rm" -s f -l force -d 'End those that are alive'
complete -c zoe -n "__fish_zoe_using_subcommand rm" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand rm" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand rm" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l interval -d 'The time between two passes where nothing happens [default: [intervals] `scheduler_task`]' -r
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l log-format -d 'How the log on standard error is written: text or json' -r -f -a "text\t'For people'
json\t'An object a line'"
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand watch" -l once -d 'Make one pass and end, for cron; exits with 1 if something is not as it should be'
complete -c zoe -n "__fish_zoe_using_subcommand watch" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand watch" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand watch" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -f -a "ls" -d 'List the built-in applications'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -f -a "show" -d 'Print a description'
complete -c zoe -n "__fish_zoe_using_subcommand app; and not __fish_seen_subcommand_from ls show validate" -f -a "validate" -d 'Say whether descriptions are right'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -l json -d 'In JSON, as one line, instead of TOML'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand app; and __fish_seen_subcommand_from validate" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -f -a "add" -d 'Enter a user'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -f -a "set" -d 'Change what is known of a user'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -f -a "ls" -d 'List the users that were entered'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -f -a "show" -d 'Show what a user may have, has, and has used'
complete -c zoe -n "__fish_zoe_using_subcommand user; and not __fish_seen_subcommand_from add set ls show rm" -f -a "rm" -d 'Remove a user; what everybody may have counts then'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l mail -d 'Where mail goes; empty for nowhere' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l mail-on -d 'When to write about an execution that does not say: end, fail (when it did not end well), never, or default' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'
default\t'As the configuration says'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l role -d 'user; or admin: once there is one, only admins (and root) end, hold, resize or enter others\' executions and change users' -r -f -a "user\t'What everybody may'
admin\t'Also what concerns others'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l executions -d 'How many executions may run at once' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l cores -d 'How many cores they may hold together' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l memory -d 'How much memory they may hold together' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l hours -d 'How many core-hours may be used in the time that counts ([quota] window)' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l mail -d 'Where mail goes; empty for nowhere' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l mail-on -d 'When to write about an execution that does not say: end, fail (when it did not end well), never, or default' -r -f -a "end\t'When it ends'
fail\t'When it does not end well'
never\t'Never'
default\t'As the configuration says'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l role -d 'user; or admin: once there is one, only admins (and root) end, hold, resize or enter others\' executions and change users' -r -f -a "user\t'What everybody may'
admin\t'Also what concerns others'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l executions -d 'How many executions may run at once' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l cores -d 'How many cores they may hold together' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l memory -d 'How much memory they may hold together' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l hours -d 'How many core-hours may be used in the time that counts ([quota] window)' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand user; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -f -a "init" -d 'Make the database where there is none, and its tables'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -f -a "status" -d 'Show which database it is, and how it stands; nothing is changed'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -f -a "migrate" -d 'Bring its tables to what this version needs; what was interrupted is gone on with'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -f -a "export" -d 'Write everything in it, of all deployments, as lines of JSON'
complete -c zoe -n "__fish_zoe_using_subcommand db; and not __fish_seen_subcommand_from init status migrate export import" -f -a "import" -d 'Take in what was exported: all of it, or nothing; makes the database where there is none'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand db; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -f -a "setup" -d 'Print the virtual host to install in Apache'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -f -a "show" -d 'List the routes'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -f -a "sync" -d 'Publish the routes that there are'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and not __fish_seen_subcommand_from setup show sync check" -f -a "check" -d 'Ask the web server, and everything behind it'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from setup" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from sync" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -l at -d 'Where the web server is, if its name does not lead there yet: ADDRESS:PORT' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand proxy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -f -a "test" -d 'Send a mail now that only shows that mail arrives'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -f -a "queue" -d 'List the mails that wait to be sent or were given up'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -f -a "send" -d 'Send what is due, as `zoe watch` does'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -f -a "retry" -d 'Have mails tried again: those named, or all that were given up'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and not __fish_seen_subcommand_from test queue send retry drop" -f -a "drop" -d 'Have mails not sent: those named, or all that were given up'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l failed -d 'Only what was given up'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -l all -d 'Also what was sent or dropped, as long as that is remembered (30 days)'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from queue" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand mail; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -f -a "build" -d 'Build images and print their names'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -f -a "ls" -d 'List those that are there, and what the site\'s registry has of them'
complete -c zoe -n "__fish_zoe_using_subcommand images; and not __fish_seen_subcommand_from build ls push" -f -a "push" -d 'Push images to the site\'s registry and print their names there'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l registry -d 'Name them for this registry [default: that of the configuration]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l spark-version -d 'The version of Spark' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l base -d 'The Debian image underneath [default: a public slim one, or where no registry has it one made with debootstrap]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l extra-ca -d 'Certificates that the build trusts, in PEM [default: the host\'s own]' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l pip -d 'One more Python package in the Spark images; may be given several times' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -l no-header -d 'Leave the table\'s header out'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -l registry -d 'The registry [default: that of the configuration]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand images; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -s f -l force -d 'Replace the file if it is there'
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand write-config" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -f -a "show" -d 'Print every setting'
complete -c zoe -n "__fish_zoe_using_subcommand config; and not __fish_seen_subcommand_from show check" -f -a "check" -d 'Say whether the configuration is right'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -s o -l output -d 'In which form: table or json' -r -f -a "table\t'For people'
json\t'JSON'"
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Say where each value comes from'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand completions" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand completions" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand completions" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand completions" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand completions" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand completions" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand completions" -s h -l help -d 'Print help'
complete -c zoe -n "__fish_zoe_using_subcommand man" -l config -d 'Read this configuration file instead of the first zoe.conf found' -r -F
complete -c zoe -n "__fish_zoe_using_subcommand man" -l host -d 'Where Docker is [default: as the docker command finds it]' -r
complete -c zoe -n "__fish_zoe_using_subcommand man" -l deployment -d 'Which deployment: executions of others are not seen [default: the user\'s name]' -r
complete -c zoe -n "__fish_zoe_using_subcommand man" -l color -d 'When to colour: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c zoe -n "__fish_zoe_using_subcommand man" -s q -l quiet -d 'No progress on standard error: warnings and errors only'
complete -c zoe -n "__fish_zoe_using_subcommand man" -s v -l verbose -d 'Say on standard error what is done; twice for every call to Docker'
complete -c zoe -n "__fish_zoe_using_subcommand man" -s h -l help -d 'Print help'
