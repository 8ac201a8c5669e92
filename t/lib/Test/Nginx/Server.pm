package Test::Nginx::Server;

# The nginx under test: its directory, its configuration, its life.
#
# bring_up() is called by Socket.pm for each block and stop() at its end; with
# TEST_NGINX_USE_HUP a running nginx is reloaded instead. Only what this
# runner made is ever removed (known names inside the server root), and only a
# process that its own pid file names, and whose command line carries our
# configuration file, is ever signalled. Everything is waited for by polling
# with a limit; a limit that is reached is reported, never a hang.

use v5.36;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path     qw(make_path remove_tree);
use File::Spec;
use IO::Select;
use IO::Socket::INET;
use POSIX          qw(WNOHANG _exit);
use Test::Nginx::Settings
    qw(%Conf bad diagnose expand path patience slurp spew verbose wait_until);

our @EXPORT_OK = qw(
    bring_up stop alive died ours write_user_files error_log_tail
    nginx_version find_nginx exit_reason valgrind_report
);

# Where this runner is; what valgrind says about nginx itself is listed there.
my $Own_directory = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__))));

my $Pid;            # of the nginx we started, while it should be running
my $Child;          # our child process, when nginx runs in the foreground
my $Config_version = 0;
my $Build_facts;    # what nginx -V prints


sub find_nginx () {
    my $name = $Conf{binary} // 'nginx';

    return $name if $name =~ m{/} && -x $name && !-d _;
    if ($name !~ m{/}) {
        for my $dir (File::Spec->path, '/usr/sbin', '/usr/local/sbin') {
            my $file = File::Spec->catfile($dir, $name);
            return $file if -x $file && !-d _;
        }
    }

    Test::More::BAIL_OUT("no nginx found as \"$name\": install it or set "
                         . 'TEST_NGINX_BINARY to its path');
}


sub _build_facts () {
    return $Build_facts if defined $Build_facts;

    my $binary = find_nginx();
    open my $out, '-|', 'sh', '-c', 'exec "$0" -V 2>&1', $binary
        or bad("cannot run $binary: $!");
    local $/;
    $Build_facts = readline $out;
    close $out or bad("$binary -V failed: $Build_facts");

    return $Build_facts;
}


# "1.22.1" as 1022001, to be compared as a number.
sub nginx_version ($text = undef) {
    $text //= _build_facts() =~ m{\w/(\d+\.\d+\.\d+)} ? $1
        : bad('nginx -V names no version');

    my ($major, $minor, $patch) = split /\./, $text;
    return ($major * 1000 + $minor) * 1000 + $patch;
}


# Starts (or reloads) nginx with the configuration of the block. Returns the
# exit status of the start: 0 when nginx is up, else -1 or what it exited with.
sub bring_up ($block, $ports) {
    my $reload = $Conf{use_hup} && !defined $block->must_die && alive();

    stop() if !$reload;
    _lay_out($reload);

    if (defined(my $code = $block->post_setup_server_root)) {
        Test::Nginx::Blocks::Sandbox::run($code);
        bad("post_setup_server_root failed: $@") if $@;
    }

    write_user_files($block, $ports);

    my $foreground = $Conf{use_valgrind} && !defined $block->must_die;
    $Config_version++;
    spew(path('conf', 'nginx.conf'), _config($block, $ports, $foreground));

    return $reload ? _reload() : _launch($foreground);
}


# A fresh server root. A file that is not ours stops the run: the variable
# TEST_NGINX_SERVROOT may point to a directory somebody needs.
sub _lay_out ($keep) {
    my $root = $Conf{servroot};
    my @own  = map { path($_) } qw(conf html cache);

    push @own, grep { -d } glob(path('*_temp')), glob(path('*_cache'));

    if ($keep) {
        remove_tree(@own, { keep_root => 1 });
        unlink path('logs', 'error.log'), path('logs', 'access.log');
    } elsif (-d $root) {
        remove_tree(@own, path('logs'));
        rmdir $root or bad("cannot empty the server root $root: $!; it "
                           . 'holds something that is not ours');
    }

    make_path(map { path($_) } qw(conf html logs));
    spew(path('html', 'index.html'),
         '<html><head><title>It works!</title></head>'
         . '<body>It works!</body></html>');
    return;
}


# --- user_files: ">>> name [date for touch -t]" opens each file. As an array:
# [[name, text, date], ...].
sub write_user_files ($block, $ports) {
    my $files = $block->user_files // return;

    if (!ref $files) {
        my @list;
        for my $line (split /^/m, $files) {
            if ($line =~ /^>>> (\S+)(?:\s+(\S.*))?/) {
                push @list, [$1, '', $2];
            } elsif (@list) {
                $list[-1][1] .= $line;
            }
        }
        $files = \@list;
    } elsif (ref $files ne 'ARRAY') {
        bad('user_files must be text or an array of [name, text, date]');
    }

    for my $entry (@$files) {
        my ($name, $text, $date) = @$entry;
        my $file = $name =~ m{^/} ? $name : path('html', $name);

        make_path(dirname($file));
        spew($file, expand($text // '', $ports));

        if (defined $date) {
            local $ENV{TZ} = 'GMT';
            system('touch', '-t', $date, $file) == 0
                or bad("touch -t \"$date\" failed for user file $name");
        }
    }
    return;
}


sub _config ($block, $ports, $foreground) {
    my $text = sub ($name) { expand($block->$name, $ports) // '' };

    my $config = $block->config
        // bad('a block needs a "--- config" section; this runner keeps none '
               . 'from the block before');
    $config = expand($config, $ports);

    my $http  = $text->('http_config');
    my $level = $block->log_level // $Conf{log_level};
    $level =~ s/\s+//g;

    my $log = $text->('error_log_file') || path('logs', 'error.log');
    $log =~ s/\s+\z//;
    my $master = $Conf{use_hup} ? 'on' : $Conf{master};

    return join "\n",
        (map { "load_module $_;" } split ' ',
            expand($Conf{load_modules}, $ports)),
        "worker_processes $Conf{workers};",
        'daemon ' . ($foreground ? 'off' : 'on') . ';',
        "master_process $master;",
        "error_log $log $level;",
        'pid ' . path('logs', 'nginx.pid') . ';',
        _process_config(),
        $text->('main_config'),
        'http {',
        _http_config($http),
        $http,
        _server_config($block, $config),
        ($Conf{use_hup} ? _version_server() : ()),
        '}',
        $text->('post_main_config'),
        'events {',
        '    accept_mutex off;',
        "    worker_connections $Conf{worker_connections};",
        '}',
        '';
}


sub _process_config () {
    my @names = qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS UBSAN_OPTIONS
                   LSAN_OPTIONS);
    my @lines = map { /\s/ ? "env '$_';" : "env $_;" }
        @names, @{$Conf{env_to_nginx}};

    # Without it the workers of root would run as nobody, who may not read a
    # server root below a private home.
    my $user = $Conf{worker_user} // ($> == 0 ? 'root' : undef);
    push @lines, "user $user;" if defined $user;

    return @lines;
}


sub _http_config ($http) {
    my @lines = ('    access_log ' . path('logs', 'access.log') . ';',
                 '    default_type text/plain;',
                 '    keepalive_timeout 68000ms;');

    for my $module (qw(client_body proxy fastcgi scgi uwsgi)) {
        next if $http =~ /\b${module}_temp_path\b/
            || _build_facts() =~ /--without-http_${module}_module/;
        push @lines, "    ${module}_temp_path "
            . path("${module}_temp") . ';';
    }

    if (defined $Conf{postpone_output} && $http !~ /\bpostpone_output\b/) {
        $Conf{postpone_output} =~ /^\d+$/
            or bad("TEST_NGINX_POSTPONE_OUTPUT is "
                   . "\"$Conf{postpone_output}\": give a number of bytes");
        push @lines, "    postpone_output $Conf{postpone_output};";
    }

    return @lines;
}


sub _server_config ($block, $config) {
    my $name = $block->server_name // $Conf{server_name};
    $name =~ s/\s+\z//;
    $name =~ s/([\\'])/\\$1/g;

    my @root = $Conf{no_root_location} ? ()
        : ('        location / {',
           '            root ' . path('html') . ';',
           '            index index.html index.htm;',
           '        }');

    return ('    server {',
            "        listen $Conf{server_port};",
            "        server_name '$name';",
            '        client_max_body_size 30M;',
            $Conf{preamble}, $config, @root, '    }');
}


# Answers which configuration is in force after a reload.
sub _version_server () {
    return ('    server {',
            "        listen $Conf{server_port};",
            "        server_name 'test-nginx-version';",
            "        location = /version { return 200 '$Config_version'; }",
            '    }');
}


sub _command ($foreground) {
    my @command = (find_nginx(), '-e', path('logs', 'error.log'),
                   '-p', "$Conf{servroot}/", '-c', path('conf', 'nginx.conf'));

    return @command if !$foreground;

    my @options = $Conf{use_valgrind} =~ /^\d+$/
        ? qw(--tool=memcheck --leak-check=full --show-possibly-lost=no
             --keep-debuginfo=yes --num-callers=100 --gen-suppressions=all)
        : split ' ', $Conf{use_valgrind};
    push @options, map { "--suppressions=$_" }
        grep { -f } "$Own_directory/valgrind.suppress", 'valgrind.suppress';

    return ('valgrind', '-q', @options, @command);
}


sub _launch ($foreground) {
    my @command = _command($foreground);
    verbose("starting @command");

    my $pid = fork // bad("cannot fork: $!");
    if (!$pid) {
        _exec(@command);
    }

    my $status = -1;
    my $gone   = wait_until(15 * patience(), sub {
        return 1 if $foreground && _pid_in_file();
        return 0 if waitpid($pid, WNOHANG) == 0;
        $status = $?;
        return 1;
    });

    if (!$gone) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
        return -1;
    }

    if ($foreground && $status == -1) {
        ($Pid, $Child) = (_pid_in_file(), $pid);
        return 0;
    }

    return $status if $status != 0;

    # The daemon writes its pid file after the parent has gone.
    wait_until(patience(), \&_pid_in_file) or return -1;
    $Pid = _pid_in_file();
    return 0;
}


sub _exec (@command) {
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', path('logs', 'stderr');
    { no warnings 'exec'; exec { $command[0] } @command; }
    print STDERR "cannot run $command[0]: $!\n";
    _exit(127);
}


# What nginx said when it did not start: its own words, without the notices.
sub exit_reason ($status) {
    my $said = slurp(path('logs', 'stderr')) // '';
    my $how  = $status == -1 ? 'it did not come up in time'
        : $status & 127 ? 'it was killed by signal ' . ($status & 127)
        : 'exit code ' . ($status >> 8);

    return "$how\n$said";
}


# Complaints of valgrind about the nginx that was stopped last, once.
sub valgrind_report () {
    return '' if !$Conf{use_valgrind};

    my $said = slurp(path('logs', 'stderr')) // '';
    unlink path('logs', 'stderr');
    return join '', grep { /^==\d+==|^\{|^   \S|^\}/ } split /^/m, $said;
}


sub _reload () {
    my @old = _children($Pid);

    kill 'USR1', $Pid;
    kill 'HUP',  $Pid;

    # Old workers accept until they are told to go, a while after the new ones
    # have started, so an answer of the new configuration proves nothing yet.
    my $ok = wait_until(10 * patience(), sub {
        return !(grep { _serves($_) } @old)
            && !grep { _answered_version() ne $Config_version } 1 .. 10;
    });

    return $ok ? 0 : -1;
}


sub _serves ($worker) {
    return _is_running($worker)
        && (slurp("/proc/$worker/cmdline") // '') !~ /shutting down/;
}


sub _answered_version () {
    my $sock = IO::Socket::INET->new(
        PeerAddr => $Conf{server_addr}, PeerPort => $Conf{client_port},
        Timeout  => 1,
    ) or return '';

    local $SIG{PIPE} = 'IGNORE';
    print {$sock} "GET /version HTTP/1.0\r\nHost: test-nginx-version\r\n\r\n";

    my $answer = '';
    while (IO::Select->new($sock)->can_read(1)) {
        sysread($sock, $answer, 4096, length $answer) or last;
    }
    return $answer =~ /\r\n\r\n(\d+)\z/ ? $1 : '';
}


sub _pid_in_file () {
    my $text = slurp(path('logs', 'nginx.pid')) // '';
    return $text =~ /^(\d+)\s*\z/ ? $1 : 0;
}


# Not gone, and not only waiting to be reaped by somebody else.
sub _is_running ($pid) {
    if (defined $Child && $pid == $Child) {
        return 0 if waitpid($Child, WNOHANG) != 0;
    }

    return 0 if !kill 0, $pid;

    my $stat = slurp("/proc/$pid/stat") // return 1;
    return $stat !~ /\) [ZX] [^)]*\z/;
}


# Whether the process of a pid file is the nginx of this server root, and not
# a stranger who got the number of one that crashed.
sub ours ($pid) {
    return 0 if !_is_running($pid);

    my $line = slurp("/proc/$pid/cmdline") // return 1;
    return index($line, path('conf', 'nginx.conf')) >= 0;
}


sub alive () {
    return defined $Pid && _is_running($Pid);
}


# True when nginx should be running but is not.
sub died () {
    return defined $Pid && !_is_running($Pid);
}


# Ends the nginx of our pid file, also one left over by a run that crashed.
sub stop () {
    my $pid = $Pid // _pid_in_file();
    ($Pid, my $child) = (undef, $Child);

    if ($pid && ours($pid)) {
        verbose("stopping nginx $pid");
        kill 'QUIT', $pid;
        _end($pid) if !wait_until(
            $Conf{timeout} + patience(), sub { !_is_running($pid) });
    }

    if (defined $child) {
        waitpid $child, 0 if waitpid($child, WNOHANG) == 0;
        undef $Child;
    }

    unlink path('logs', 'nginx.pid');
    return;
}


# It did not leave on QUIT: TERM lets a master take its workers along, KILL
# is for what is left.
sub _end ($pid) {
    diagnose("nginx $pid did not end within "
             . ($Conf{timeout} + patience()) . ' s after QUIT; ending it by '
             . 'force');

    my @family = ($pid, _children($pid));
    kill 'TERM', $pid;
    return if wait_until(patience(), sub { !_is_running($pid) });

    kill 'KILL', grep { _is_running($_) } @family;
    wait_until(patience(), sub { !grep { _is_running($_) } @family });
    return;
}


sub _children ($pid) {
    my $list = slurp("/proc/$pid/task/$pid/children") // '';
    return split ' ', $list;
}


# Only for a server root made up for this one run.
sub remove_root () {
    remove_tree($Conf{servroot});
    return;
}


# The last lines that are not debug noise.
sub error_log_tail ($count = 20) {
    my $debug = 0;

    # A debug line may go on without a date in the lines below it.
    my @lines = grep {
        $debug = / \[debug\] / if m{^\d{4}/\d\d/\d\d };
        !$debug;
    } split /^/m, slurp(path('logs', 'error.log')) // '';

    splice @lines, 0, @lines - $count if @lines > $count;
    return @lines;
}


1;
