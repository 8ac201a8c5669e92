# Proof that our own runner turns red: small test files with wrong
# expectations are run as child processes, and each must fail, with the
# message that names the mistake. A runner that passes everything would pass
# all other tests, but not this one.
#
# It always tests the runner in t/lib, whichever one runs the other files.
# Every child has its own server root in a temporary directory; what it
# started must be gone when it ends.

use v5.36;
use File::Spec;
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $Lib  = File::Spec->catdir($FindBin::Bin, 'lib');
my $Dir  = tempdir(CLEANUP => 1);
my $Root = "$Dir/servroot";
my $Pids = "$Root/logs/nginx.pid";

# No child may take longer; a hang is a failure, too.
use constant CHILD_SECONDS => 120;

# The settings of the run we are part of must not reach the children.
delete @ENV{grep { /^TEST_NGINX_/ && $_ ne 'TEST_NGINX_BINARY' } keys %ENV};
delete @ENV{qw(PERL5LIB PERL5OPT HARNESS_ACTIVE)};

require lib;
lib->import($Lib);
require Test::Nginx::Blocks;
require Test::Nginx::Client;
require Test::Nginx::Request;
require Test::Nginx::Settings;

my $Port = Test::Nginx::Settings::free_port({});


sub slurp ($file) {
    open my $in, '<', $file or return '';
    local $/;
    return readline($in) // '';
}


# Starts a child with this test file; returns its process and output file.
sub start_child ($text, %environment) {
    my $setup = delete $environment{setup} // '';
    my $file  = "$Dir/child.t";
    my $head  = "use Test::Nginx::Socket 'no_plan';\n"
        . "$setup\nrun_tests();\n__DATA__\n";

    open my $out, '>', $file or die "$file: $!";
    print {$out} $head, $text;
    close $out or die "$file: $!";

    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        %ENV = (%ENV, TEST_NGINX_PORT => $Port, TEST_NGINX_SERVROOT => $Root,
                %environment);
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>',  "$Dir/output";
        open STDERR, '>&', \*STDOUT;
        exec $^X, "-I$Lib", $file or POSIX::_exit(126);
    }
    return $pid;
}


sub wait_child ($pid) {
    my $end = time + CHILD_SECONDS;

    while (waitpid($pid, WNOHANG) == 0) {
        if (time > $end) {
            kill 'TERM', $pid;
            waitpid $pid, 0;
            return { status => -1, output => slurp("$Dir/output") . 'HANGS' };
        }
        sleep 0.01;
    }
    return { status => $?, output => slurp("$Dir/output") };
}


sub run_child ($text, %environment) {
    return wait_child(start_child($text, %environment));
}


sub nginx_pid () {
    return slurp($Pids) =~ /^(\d+)\s*\z/ ? $1 : 0;
}


sub runs ($pid) {
    return $pid && kill(0, $pid)
        && slurp("/proc/$pid/stat") !~ /\) [ZX] [^)]*\z/;
}


sub until_true ($code) {
    my $end = time + 30;
    while (time < $end) {
        return 1 if $code->();
        sleep 0.01;
    }
    return 0;
}


# One subtest: the child fails, says so, and leaves no nginx behind.
sub turns_red ($name, $text, $patterns, %environment) {
    subtest $name => sub {
        my $run = run_child($text, %environment);

        isnt($run->{status}, 0, 'the run fails');
        isnt($run->{status}, -1, 'the run ends by itself');
        for my $pattern (ref $patterns eq 'ARRAY' ? @$patterns : $patterns) {
            like($run->{output}, $pattern, "it says $pattern");
        }
        ok(!runs(nginx_pid()), 'nginx is gone');
    };
    return;
}


sub stays_green ($name, $text, $patterns = [], %environment) {
    subtest $name => sub {
        my $run = run_child($text, %environment);

        is($run->{status}, 0, 'the run passes') or diag($run->{output});
        like($run->{output}, $_, "it says $_") for @$patterns;
        ok(!runs(nginx_pid()), 'nginx is gone');
    };
    return;
}


# A block that passes, with the sections to be added or to take the place of
# the same ones here.
my %Sound = (
    config  => "    location = /t {\n        add_header X-One yes;\n"
        . "        return 200 \"hello\\n\";\n    }\n",
    request => "GET /t\n",
);


sub block ($sections, %instead) {
    my %all = (%Sound, %instead);
    my $text = "=== TEST 1: the block\n";

    for my $name (sort keys %all) {
        $text .= "--- $name\n$all{$name}" if defined $all{$name};
    }
    return $text . $sections;
}


my $Silent = '    location = /t { proxy_pass http://127.0.0.1:'
    . "\$TEST_NGINX_RAND_PORT_1; }\n";
my $Rewrite = '    location = /t { rewrite_log on; rewrite ^/t /o last; }'
    . "\n    location = /o { return 200; }\n";


# Were this one red, all others would prove nothing.
stays_green('a sound block passes', block(''), [qr/^ok 1 - .*status code/m]);

# The response.
turns_red('a wrong status', block("--- error_code: 404\n"),
          [qr/^not ok 1 - .*TEST 1: the block - status code/m,
           qr/got: '200'/, qr/expected: '404'/]);

turns_red('a status that is not the default',
          block('', request => "GET /none\n"),
          [qr/^not ok 1 - .*status code/m, qr/got: '404'/,
           qr/the end of .*error\.log:/, qr/No such file or directory/]);

turns_red('a status by pattern', block("--- error_code_like: ^5\n"),
          qr/^not ok \d - .*status code/m);

turns_red('a wrong body', block("--- response_body\nhellx\n"),
          [qr/^not ok 2 - .*response body$/m, qr/differ from byte 4 on/,
           qr/got 6 bytes: "hello\\n"/, qr/expected 6 bytes: "hellx\\n"/]);

turns_red('a body without its newline',
          block("--- response_body chomp\nhello\n"),
          qr/^not ok 2 - .*response body$/m);

turns_red('a body by pattern', block("--- response_body_like: ^x\n"),
          qr/^not ok 2 - .*response body is like it/m);

turns_red('a body that must not be', block("--- response_body_unlike: ell\n"),
          qr/^not ok 2 - .*response body is unlike/m);

turns_red('a missing header', block("--- response_headers\nX-Two: yes\n"),
          [qr/^not ok 2 - .*header X-Two/m, qr/expected: 'yes'/]);

turns_red('a wrong header', block("--- response_headers\nX-One: no\n"),
          qr/^not ok 2 - .*header X-One/m);

turns_red('a header that must not be', block("--- response_headers\n!X-One\n"),
          qr/^not ok 2 - .*header X-One is absent/m);

turns_red('a header by pattern',
          block("--- response_headers_like\nX-One: \\d+\n"),
          qr/^not ok 2 - .*header X-One is like it/m);

turns_red('raw headers', block("--- raw_response_headers_like: X-Two\n"
                               . "--- raw_response_headers_unlike: X-One\n"),
          [qr/^not ok 2 - .*raw headers$/m,
           qr/^not ok 3 - .*raw headers unlike/m]);

turns_red('one of several requests',
          block(qq{--- error_code eval: [200, 200, 200]\n},
                request => undef)
          . qq{--- request eval: ["GET /t", "GET /none", "GET /t"]\n},
          [qr/^ok 1 /m, qr/^not ok 2 - .*\(request 1\)/m, qr/^ok 3 /m]);

turns_red('one of the pipelined requests',
          block(qq{--- response_body eval: ["hello\\n", "hellx\\n"]\n},
                request => undef)
          . qq{--- pipelined_requests eval: ["GET /t", "GET /t"]\n},
          [qr/^ok 2 /m, qr/^not ok 4 - .*\(request 1\)/m]);

turns_red('a second round that differs', block("--- init\n1;\n",
          config => $Rewrite)
          . qq{--- grep_error_log eval: qr{rewritten}\n}
          . qq{--- grep_error_log_out eval: ["rewritten\\n", "twice\\n"]\n},
          [qr/^ok 2 - .*\(round 0\)/m, qr/^not ok 4 - .*\(round 1\)/m],
          setup => 'repeat_each(2);');

# The logs.
turns_red('a missing line in the error log',
          block("--- error_log\nno such words\n"),
          qr/^not ok 2 - .*error\.log has "no such words"/m);

turns_red('a line that must not be in the error log',
          block("--- no_error_log\nrewritten data\n", config => $Rewrite),
          [qr/^not ok 2 - .*error\.log does not have "rewritten data"/m,
           qr/it has, first of 1:/]);

turns_red('a level that is not logged',
          block("--- log_level: error\n--- error_log\nrewritten data\n",
                config => $Rewrite),
          qr/^not ok 2 - .*error\.log has "rewritten data"/m);

turns_red('what grep finds in the error log',
          block("--- grep_error_log: rewritten\n--- grep_error_log_out\n",
                config => $Rewrite),
          qr/^not ok 2 - .*grep_error_log_out/m);

turns_red('the access log', block("--- access_log\nPOST\n"
                                  . "--- no_access_log\nGET /t\n"),
          [qr/^not ok 2 - .*access\.log has "POST"/m,
           qr{^not ok 3 - .*access\.log does not have "GET /t"}m]);

turns_red('the log of the shutdown',
          block("--- shutdown_error_log\nno such words\n"
                . "--- no_shutdown_error_log\nshutting down\n"),
          [qr/^not ok 2 - .*at shutdown has "no such words"/m,
           qr/^not ok 3 - .*at shutdown does not have "shutting down"/m]);

# The life of nginx.
turns_red('a server that does not start',
          block('', config => "    nonsense on;\n"),
          [qr/^not ok 1 - .*nginx starts/m, qr/exit code 1/,
           qr/unknown directive "nonsense"/]);

turns_red('a server that should not start, but does',
          block("--- must_die\n"),
          qr/^not ok 1 - .*nginx refuses to start/m);

turns_red('a server that dies with another exit code',
          block("--- must_die: 7\n", config => "    nonsense on;\n"),
          [qr/^not ok 1 - .*with the exit code/m, qr/expected: '7'/]);

turns_red('the log of a server that does not start',
          block("--- must_die\n--- error_log\nanother reason\n",
                config => "    nonsense on;\n"),
          [qr/^ok 1 /m, qr/^not ok 2 - .*error\.log has "another reason"/m]);

turns_red('a module that cannot be loaded', block(''),
          [qr/^not ok 1 - .*nginx starts/m, qr{/no/such/module\.so}],
          TEST_NGINX_LOAD_MODULES => '/no/such/module.so');

my $Kill = 'my ($pid) = `cat $ENV{TEST_NGINX_SERVER_ROOT}/logs/nginx.pid` '
    . "=~ /(\\d+)/;\n";

turns_red('a server that is killed', block("--- init\n$Kill kill 9, \$pid;\n"),
          [qr/^not ok \d - .*status code/m,
           qr/^not ok \d - .*nginx still runs at the end/m]);

turns_red('a worker that crashes',
          block("--- init\n$Kill" . <<'CODE'),
my $worker;
for (1 .. 3000) {
    ($worker) = split ' ', `cat /proc/$pid/task/$pid/children` and last;
    select undef, undef, undef, 0.01;
}
kill SEGV => $worker;
for (1 .. 500) {
    last if `cat $ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log` =~ /on signal/;
    select undef, undef, undef, 0.01;
}
CODE
          qr/^not ok \d - .*nginx did not crash/m, setup => 'master_on();');

turns_red('nginx is not there', block(''), qr/^Bail out!.*no nginx found/m,
          TEST_NGINX_BINARY => '/no/such/nginx');

# Timeouts.
turns_red('a response that does not come',
          block("--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n"
                . "--- tcp_no_close\n--- tcp_reply eval: ''\n"
                . "--- timeout: 200ms\n", config => $Silent),
          [qr/^not ok 1 - .*client socket timed out after 0\.2 s/m,
           qr/^not ok 2 - .*status code/m, qr/got: ''/]);

turns_red('a connection that is kept open',
          block("--- more_headers\nConnection: keep-alive\n"
                . "--- timeout: 0.2\n"),
          qr/^not ok 1 - .*client socket timed out/m);

# The mock.
turns_red('the query of a mock',
          block("--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n"
                . "--- tcp_reply eval: \"HTTP/1.0 200 OK\\r\\n\\r\\n\"\n"
                . "--- tcp_query: GET /other\n--- tcp_query_len: 9\n",
                config => $Silent),
          [qr/^not ok \d - .*tcp_query$/m, qr/^not ok \d - .*tcp_query_len/m]);

turns_red('a mock on a bad target',
          block("--- tcp_listen: nowhere\n--- tcp_reply: x\n"),
          qr/^not ok 1 - .*tcp_listen is "nowhere"/m);

# Mistakes in the file.
turns_red('a misspelt section', block("--- eror_log\nx\n"),
          qr/^not ok 1 - .*"--- eror_log"; did you mean "--- error_log"\?/m);

turns_red('a section of the original only', block("--- http2\n"),
          qr/^not ok 1 - .*"--- http2" belongs to the original/m);

turns_red('a section given twice',
          block("--- error_code: 500\n--- error_code: 200\n"),
          qr/^not ok 1 - .*"--- error_code" is given twice/m);

turns_red('a section with two values', block("--- error_code: 200\n404\n"),
          qr/^not ok 1 - .*a value on its line and more below/m);

turns_red('a line that nearly opens a section',
          block("---error_code: 500\n"),
          qr/^not ok 1 - .*looks like a section: "---error_code/m);

turns_red('an unknown filter', block("--- response_body evil\nhello\n"),
          qr/^not ok 1 - .*response_body": unknown filter "evil"/m);

turns_red('an eval that dies', block("--- response_body eval\ndie 'why'\n"),
          qr/^not ok 1 - .*response_body": eval failed: why/m);

turns_red('an eval that leans on this runner',
          block("--- response_body eval: slurp('/etc/hostname')\n"),
          qr/^not ok 1 - .*eval failed: Undefined subroutine/m);

turns_red('no array for several requests',
          block("--- error_code: 200\n", request => undef)
          . qq{--- request eval: ["GET /t", "GET /t"]\n},
          qr/^not ok 1 - .*error_code must be an array/m);

turns_red('an array that is too short',
          block("--- error_code eval: [200]\n", request => undef)
          . qq{--- request eval: ["GET /t", "GET /t"]\n},
          qr/^not ok 2 - .*error_code has no entry for request 1/m);

turns_red('no configuration', block('', config => undef),
          qr/^not ok 1 - .*needs a "--- config" section/m);

turns_red('no request', block('', request => undef),
          qr/^not ok 1 - .*needs a "--- request"/m);

turns_red('a bad request line', block('', request => "GET /t x y\n"),
          qr/^not ok 1 - .*the request line is "GET \/t x y/m);

turns_red('a variable that is not set',
          block('', config => "    # \$TEST_NGINX_NO_SUCH\n"),
          qr/^not ok 1 - .*\$TEST_NGINX_NO_SUCH is used but not set/m);

turns_red('a bad time', block("--- timeout: soon\n"),
          qr/^not ok 1 - .*"soon" is not a time/m);

turns_red('code that dies before the request', block("--- init\ndie 'why'\n"),
          qr/^not ok 1 - .*init failed: why/m);

turns_red('a file without blocks', "nothing here\n",
          qr/^Bail out!.*no blocks to run/m);

stays_green('a mistake in one block does not end the others',
            block("--- ONLY\n") . "\n=== TEST 2: never\n--- nonsense\n",
            [qr/only this block is run/, qr/^1\.\.1$/m]);

# What a run leaves, and what it finds.
subtest 'a server root that holds a stranger is left alone' => sub {
    my $run = run_child(block(''));
    is($run->{status}, 0, 'the run passes');

    open my $out, '>', "$Root/precious" or die $!;
    close $out;

    $run = run_child(block(''));
    isnt($run->{status}, 0, 'the run fails');
    like($run->{output}, qr/cannot empty the server root/, 'it says why');
    ok(-e "$Root/precious", 'the file is still there');
    unlink "$Root/precious";
};


subtest 'an nginx left by a killed run is stopped by the next' => sub {
    my $run = run_child(block("--- init\nkill 9, \$\$;\n"));
    is($run->{status} & 127, 9, 'the first run was killed');

    my $left = nginx_pid();
    ok(runs($left), 'its nginx runs on');

    $run = run_child(block(''));
    is($run->{status}, 0, 'the next run passes') or diag($run->{output});
    ok(until_true(sub { !runs($left) }), 'the old nginx is gone');
};


subtest 'a pid file that names a stranger' => sub {
    run_child(block(''));

    my $stranger = fork // die "fork: $!";
    if ($stranger == 0) {
        exec 'sleep', '300' or POSIX::_exit(126);
    }

    open my $out, '>', $Pids or die $!;
    print {$out} "$stranger\n";
    close $out;

    my $run = run_child(block(''));
    is($run->{status}, 0, 'the run passes') or diag($run->{output});
    ok(runs($stranger), 'the stranger lives');

    kill 'KILL', $stranger;
    waitpid $stranger, 0;
};


subtest 'a run that is terminated stops its nginx' => sub {
    my $child = start_child(
        block("--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n--- tcp_no_close\n"
              . "--- tcp_reply eval: ''\n--- timeout: 60\n"
              . "--- init\nopen my \$o, '>', '$Dir/started';\n",
              config => $Silent));

    ok(until_true(sub { -e "$Dir/started" }), 'it runs');
    my $nginx = nginx_pid();
    ok(runs($nginx), 'its nginx runs');

    kill 'TERM', $child;
    my $run = wait_child($child);
    isnt($run->{status}, 0, 'the run fails');
    ok(until_true(sub { !runs($nginx) }), 'nginx is gone');
};


subtest 'TEST_NGINX_NO_CLEAN keeps nginx for a look' => sub {
    my $run = run_child(block(''), TEST_NGINX_NO_CLEAN => 1);
    is($run->{status}, 0, 'the run passes') or diag($run->{output});

    my $kept = nginx_pid();
    ok(runs($kept), 'nginx runs on');

    $run = run_child(block(''));
    is($run->{status}, 0, 'the next run passes') or diag($run->{output});
    ok(until_true(sub { !runs($kept) }), 'and ends it');
};


subtest 'a port that is taken' => sub {
    my $holder = IO::Socket::INET->new(
        LocalAddr => '0.0.0.0', LocalPort => $Port, Listen => 1,
        ReuseAddr => 1,
    ) or die "cannot take port $Port: $!";

    my $run = run_child(block(''));
    isnt($run->{status}, 0, 'the run fails');
    like($run->{output}, qr/bind\(\) to \S+:$Port failed/, 'it names the port');
};


# The parts that no server of ours would provoke.
subtest 'responses taken apart' => sub {
    my $parse = sub ($bytes, $method = 'GET') {
        return Test::Nginx::Client::parse($bytes, $method);
    };
    my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    my $got = $parse->("${chunked}5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\nmore");
    is($got->{body}, 'hello!', 'chunks');
    is($got->{left}, 'more', 'what follows the last one');
    is($got->{fault}, undef, 'no fault');

    $got = $parse->("${chunked}1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n");
    is_deeply([@$got{qw(body left fault)}], ['a', '', undef], 'a trailer');

    for my $case (["5\r\nhel",           qr/ends early/],
                  ["5\r\nhello",         qr/ends early/],
                  ["5\r\nhelloxx0\r\n",  qr/no line end/],
                  ["hello",              qr/no chunk size at byte 0/],
                  ["5\r\nhello\r\n",     qr/no last chunk/],
                  ["0\r\n",              qr/empty line/],
                  ["ffffffff\r\n",       qr/ends early/],
                  ["fffffffff\r\n",      qr/no chunk size/])
    {
        my ($body, $pattern) = @$case;
        like($parse->($chunked . $body)->{fault} // '', $pattern,
             "a fault: $pattern");
    }

    $got = $parse->("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
    like($got->{note}, qr/ends after 5 of 9 bytes/, 'a body cut short');

    $got = $parse->("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlong");
    is_deeply([@$got{qw(body left)}], ['lo', 'ng'], 'a body too long');

    $got = $parse->("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 'HEAD');
    is_deeply([@$got{qw(code body note)}], ['200', '', undef], 'HEAD');

    $got = $parse->("HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nx-a:three\r\n\r\n");
    is(Test::Nginx::Client::header($got, 'X-a'), 'one two, three',
       'a folded header, given twice');

    is($parse->('')->{code}, '', 'nothing at all');
    is($parse->("garbage\r\n\r\n")->{code}, '', 'no HTTP');
    is($parse->("200 OK\r\n\r\n")->{code}, '', 'no version');
};


subtest 'packets keep their borders' => sub {
    my $wire = sub (@pieces) {
        my ($parts) = Test::Nginx::Request::_complete(
            Test::Nginx::Blocks::Block->new('x'), 0, join('', @pieces),
            'close');
        return Test::Nginx::Request::_cut($parts, map { length } @pieces);
    };
    my $head = "Host: localhost\r\nConnection: close\r\n";

    is_deeply([$wire->('GET', ' /t')],
              ['GET ', "/t HTTP/1.1\r\n$head\r\n"], 'after the method');
    is_deeply([$wire->('G', 'ET /', "t\n")],
              ['G', 'ET /', "t HTTP/1.1\r\n$head\r\n"], 'inside of words');
    is_deeply([$wire->("POST /t\n", 'a', 'b')],
              ["POST /t HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\n", 'a',
               'b'], 'in the body');
    is_deeply([$wire->("POST /t\nab", " \n")],
              ["POST /t HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\nab", ''],
              'in blanks that are cut off');
};


done_testing();
