package Test::Nginx::Socket;

# The public face of the runner: what a test file imports, and the course of
# one block from its sections to its points.
#
# This is a small runner for test files in the format of openresty's module
# of the same name, in core Perl. It stands in where that module is not
# installed; every test file runs unchanged under both:
#
#     prove -It/lib t/                    this one
#     prove -I/path/to/the/other/lib t/   the original
#     perl t/lib/run.pl                   whichever is there
#
# Only this module is looked up by name; the parts below are ours alone. See
# the text at the end of this file for what is supported.

use v5.36;
use Carp       ();
use List::Util qw(shuffle);
use Time::HiRes qw(sleep);
use Test::More ();

use Test::Nginx::Blocks   ();
use Test::Nginx::Checks   qw(check_logs check_response check_shutdown_log
                             rewind_logs same_text);
use Test::Nginx::Client   qw(exchange);
use Test::Nginx::Mock     ();
use Test::Nginx::Request  qw(requests);
use Test::Nginx::Server   qw(bring_up died error_log_tail exit_reason
                             nginx_version stop valgrind_report
                             write_user_files);
use Test::Nginx::Settings qw(%Conf bad diagnose parse_time path verbose);

our $VERSION = '1.0';

# From Test::More, as the original passes them on.
my @Passed_on = qw(
    ok is isnt like unlike is_deeply cmp_ok skip todo_skip pass fail plan
    can_ok isa_ok diag use_ok
);

my @Own = qw(
    run_tests blocks repeat_each no_long_string no_diff no_shuffle
    no_root_location workers worker_connections master_on master_off
    master_process_enabled log_level timeout server_port
    server_port_for_client server_addr server_name server_root html_dir
    config_preamble env_to_nginx use_hup check_accum_error_log is_str
    add_block_preprocessor add_cleanup_handler add_test_cleanup_handler
    bail_out
);

my $Owner = $$;
my @Blocks;
my $Parsed;
my @Preprocessors;
my @Cleanups;
my @Test_cleanups;


sub import ($class, @plan) {
    strict->import;
    warnings->import;

    Test::More::plan(@plan) if @plan;

    my $target = caller;
    no strict 'refs';
    for my $name (@Passed_on) {
        my $code = Test::More->can($name) or next;
        *{"${target}::$name"} = $code;
    }
    *{"${target}::TODO"}  = \${"${target}::TODO"};
    *{"${target}::$_"}    = \&{$_} for @Own;
    *{"${target}::croak"} = \&Carp::croak;
    return;
}


# Settings: without an argument each returns its value.
sub _setting ($name, @value) {
    $Conf{$name} = $value[0] if @value;
    return $Conf{$name};
}

sub repeat_each            (@v) { _setting('repeat_each', @v) }
sub workers                (@v) { _setting('workers', @v) }
sub worker_connections     (@v) { _setting('worker_connections', @v) }
sub log_level              (@v) { _setting('log_level', @v) }
sub timeout                (@v) { _setting('timeout', @v) }
sub server_port            (@v) { _setting('server_port', @v) }
sub server_port_for_client (@v) { _setting('client_port', @v) }
sub server_addr            (@v) { _setting('server_addr', @v) }
sub server_name            (@v) { _setting('server_name', @v) }
sub config_preamble        (@v) { _setting('preamble', @v) }
sub no_shuffle :prototype() () { $Conf{no_shuffle} = 1 }
sub no_root_location :prototype() () { $Conf{no_root_location} = 1 }
sub master_on :prototype() () { $Conf{master} = 'on' }
sub master_off :prototype() () { $Conf{master} = 'off' }
sub use_hup :prototype() () { $Conf{use_hup} = 1 }
sub check_accum_error_log :prototype() () { $Conf{accumulate_log} = 1 }
sub server_root :prototype() () { $Conf{servroot} }
sub html_dir :prototype() () { path('html') }

sub master_process_enabled (@v) {
    return _setting('master', map { $_ ? 'on' : 'off' } @v);
}

# Choices between the original's ways to show differences; we have one.
sub no_long_string :prototype() () { }
sub no_diff :prototype() () { }

sub is_str ($got, $expected, $name = '') {
    return same_text($got, $expected, $name);
}


sub env_to_nginx (@entries) {
    for my $entry (@entries) {
        Carp::croak("env_to_nginx: \"$entry\" is not NAME or NAME=value")
            if $entry !~ /^[A-Za-z_]/ || $entry =~ /[\n']/;
        push @{$Conf{env_to_nginx}}, $entry;
    }
    return;
}


sub add_block_preprocessor :prototype(&) ($code) {
    unshift @Preprocessors, $code;
    return;
}


sub add_cleanup_handler ($code) {
    unshift @Cleanups, $code;
    return;
}


sub add_test_cleanup_handler ($code) {
    unshift @Test_cleanups, $code;
    return;
}


sub bail_out (@text) {
    _clean_up();
    Test::More::BAIL_OUT(join '', @text);
}


# In scalar context their number, for "plan tests => 3 * blocks()".
sub blocks :prototype() () {
    if (!$Parsed) {
        no warnings 'once';
        my $text = do { local $/; readline(*main::DATA) };
        bail_out("$0 has no blocks after __DATA__") if !defined $text;

        @Blocks = Test::Nginx::Blocks::parse($text);
        $Parsed = 1;
    }
    return @Blocks;
}


sub run_tests :prototype() () {
    $ENV{TEST_NGINX_SERVER_PORT} //= $Conf{server_port};

    # Ended by a signal we still want to stop nginx, in END.
    local @SIG{qw(INT TERM HUP)} = (sub { exit 1 }) x 3;

    my @list = map { $_->filtered } blocks();
    bail_out("$0 has no blocks to run") if !@list;
    @list = shuffle(@list) if !$Conf{no_shuffle};

    for my $block (@list) {
        $_->($block) for @Preprocessors;
        $block->set_value(name => "$0 " . $block->name);

        _run_block($block);
        $_->($block) for @Test_cleanups;
    }

    _clean_up();
    return;
}


# Runs one block. Whatever goes wrong in it is a failed point of its own.
sub _run_block ($block) {
    my $name   = $block->name;
    my $failed = _failures();

    verbose("running $name");
    eval {
        _refuse_mistakes($block);
        _live($block) if !_skipped($block);
        1;
    } or do {
        chomp(my $why = $@);
        Test::More::fail("$name - $why");
    };

    eval { _finish($block); 1 } or do {
        chomp(my $why = $@);
        Test::More::fail("$name - $why");
    };

    if (_failures() > $failed) {
        my @tail = error_log_tail();
        diagnose('the end of ' . path('logs', 'error.log')
                 . (@tail ? ':' : ' is empty'), @tail);
    }
    return;
}


sub _failures () {
    return scalar grep { !$_ } Test::More->builder->summary;
}


sub _refuse_mistakes ($block) {
    my ($fault) = ($block->faults, Test::Nginx::Blocks::misspelt($block));
    bad($fault) if defined $fault;
    return;
}


# --- skip_nginx: 3: < 1.21.0: why      --- skip_eval: 3: perl code
sub _skipped ($block) {
    my ($points, $why);

    if (defined(my $spec = $block->skip_eval)) {
        $spec =~ /^\s*(\d+)\s*:\s*(.*)/s
            or bad("skip_eval is \"$spec\": write points: code");
        $points = $1;
        $why    = 'skip_eval' if Test::Nginx::Blocks::Sandbox::run($2);
        bad("skip_eval failed: $@") if $@;
    }

    if (defined(my $spec = $block->skip_nginx)) {
        my ($count, $op, $version, $reason) = $spec =~
            /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+\.\d+\.\d+)\s*(?::\s*(.*?))?\s*$/s
            or bad("skip_nginx is \"$spec\": write points: < 1.2.3: why");

        my ($have, $named) = (nginx_version(), nginx_version($version));
        my $hit = $op eq '<' ? $have < $named : $op eq '<=' ? $have <= $named
            : $op eq '>' ? $have > $named : $have >= $named;
        ($points, $why)
            = ($count, $reason || "nginx $op $version") if $hit;
    }

    return 0 if !defined $why;

    for (1 .. $Conf{repeat_each}) {
        SKIP: { Test::More::skip($block->name . " - $why", $points) }
    }
    return 1;
}


sub _live ($block) {
    my $name   = $block->name;
    my $ports  = {};

    rewind_logs();
    my $status = bring_up($block, $ports);

    return _check_death($block, $status) if defined $block->must_die;

    if ($status != 0) {
        Test::More::fail("$name - nginx starts");
        diagnose(exit_reason($status));
        return;
    }

    if (defined(my $code = $block->init)) {
        Test::Nginx::Blocks::Sandbox::run($code);
        bad("init failed: $@") if $@;
    }

    for my $round (0 .. $Conf{repeat_each} - 1) {
        write_user_files($block, $ports) if $round > 0;

        my $mock = Test::Nginx::Mock->start($block, $ports);
        _run_round($block, $round, $ports);
        if ($mock) {
            _check_mock($block, $mock);
            $mock->stop;
        }
    }
    return;
}


# --- must_die: any failure to start, or the exit code given there.
sub _check_death ($block, $status) {
    my $name = $block->name;
    my $code = $block->must_die =~ s/\s+//gr;

    if ($status == -1 || $status & 127) {
        Test::More::fail("$name - nginx refuses to start");
        diagnose(exit_reason($status));
    } elsif ($code =~ /^\d+$/) {
        Test::More::is($status >> 8, $code,
                       "$name - nginx refuses to start with the exit code");
    } else {
        Test::More::isnt($status, 0, "$name - nginx refuses to start");
    }

    check_logs($block, 0);
    return;
}


sub _run_round ($block, $round, $ports) {
    my @exchanges = requests($block, $ports);
    my $total     = 0;
    $total += @{$_->{methods}} for @exchanges;

    my $timeout = parse_time($block->timeout) // $Conf{timeout};
    my $index   = 0;

    for my $exchange (@exchanges) {
        my $bytes = _talk($block, $exchange, $timeout);

        for my $method (@{$exchange->{methods}}) {
            if (!defined $block->ignore_response) {
                my $response = _parsed($block, $bytes, $method);
                check_response($block, $response, $index, $total > 1, $ports);
                $bytes = $response->{left};
            }

            sleep parse_time($block->wait) if $block->wait;
            check_logs($block, $round);
            $index++;
        }

        diagnose('WARNING: ' . $block->name . ' - ' . length($bytes)
                 . ' bytes follow the response')
            if length $bytes && !defined $block->ignore_response;
    }
    return;
}


sub _talk ($block, $exchange, $timeout) {
    my $name = $block->name;
    my ($bytes, $problem) = exchange($block, $exchange->{packets}, $timeout);

    verbose('read ' . length($bytes) . ' bytes'
            . (defined $problem ? ", $problem" : ''));

    if (($problem // '') eq 'timeout') {
        Test::More::fail("$name - client socket timed out after $timeout s "
                         . 'without an end of the response')
            if !defined $block->abort;
    } elsif (defined $problem) {
        Test::More::fail("$name - $problem");
    }
    return $bytes;
}


sub _parsed ($block, $bytes, $method) {
    my $response = Test::Nginx::Client::parse($bytes, $method);

    Test::More::fail($block->name . " - $response->{fault}")
        if defined $response->{fault};
    diagnose('WARNING: ' . $block->name . " - $response->{note}")
        if defined $response->{note};

    return $response;
}


sub _check_mock ($block, $mock) {
    my $name = $block->name;
    my $query;

    if (defined $block->tcp_query) {
        same_text($query //= $mock->query, $block->tcp_query,
                  "$name - tcp_query");
    }

    if (defined $block->tcp_query_len) {
        Test::More::is(length($query // $mock->query),
                       $block->tcp_query_len =~ s/\s+//gr,
                       "$name - tcp_query_len");
    }
    return;
}


# The end of a block: nginx goes, unless it is to be kept or reloaded.
sub _finish ($block) {
    my $name = $block->name;

    if (died()) {
        Test::More::fail("$name - nginx still runs at the end of the block");
        stop();
        return;
    }

    return if $Conf{no_clean} || $Conf{use_hup};

    stop();
    check_shutdown_log($block);

    my $report = valgrind_report();
    if ($report ne '') {
        Test::More::fail("$name - valgrind has nothing to say");
        diagnose($report);
    }
    return;
}


sub _clean_up () {
    my @handlers = @Cleanups;
    @Cleanups = ();
    $_->() for @handlers;
    return;
}


END {
    if ($$ == $Owner) {
        local ($?, $@);

        eval { _clean_up(); 1 } or diagnose($@);
        if (!$Conf{no_clean}) {
            eval { stop(); 1 } or diagnose($@);
            Test::Nginx::Server::remove_root() if $Conf{randomized};
        }
    }
}


1;

__END__

=head1 WHAT IS SUPPORTED

Block grammar: C<=== title>, C<--- name>, C<--- name: value>, the filters
C<eval chomp chop unchomp norm trim base64_encode base64_decode>, functions of
the test file as filters, C<SKIP ONLY LAST>.

Configuration: C<config http_config main_config post_main_config server_name
user_files init log_level error_log_file post_setup_server_root must_die>.

Requests: C<request raw_request raw_request_middle_delay pipelined_requests
more_headers timeout abort wait shutdown ignore_response
server_addr_for_client>.

Mock upstream: C<tcp_listen tcp_reply tcp_reply_delay tcp_query tcp_query_len
tcp_no_close tcp_shutdown tcp_shutdown_delay>.

Checks: C<error_code error_code_like response_body response_body_like
response_body_unlike response_headers response_headers_like
raw_response_headers_like raw_response_headers_unlike error_log no_error_log
grep_error_log grep_error_log_out access_log no_access_log shutdown_error_log
no_shutdown_error_log skip_nginx skip_eval>.

Environment: C<TEST_NGINX_> followed by C<BINARY LOAD_MODULES LOG_LEVEL PORT
SERVER_PORT CLIENT_PORT SERVROOT SLEEP TIMEOUT NO_SHUFFLE NO_CLEAN
USE_VALGRIND USE_HUP VERBOSE POSTPONE_OUTPUT RANDOMIZE MASTER_PROCESS
WORKER_USER CHECK_ACCUM_ERR_LOG>.

=head1 WRITING FILES THAT PASS UNDER BOTH RUNNERS

=over

=item *

Say C<use Test::Nginx::Socket 'no_plan'>: points are counted differently.

=item *

Blocks run in any order and each on a fresh nginx, so each has its own
C<--- config>, be it empty.

=item *

In a configuration C<$TEST_NGINX_SERVER_PORT>, C<$TEST_NGINX_SERVER_ROOT> and
C<$TEST_NGINX_RAND_PORT_1> (and so on) are always there. Every other
C<$TEST_NGINX_> name must be in the environment, so a test file that wants it
begins with C<$ENV{TEST_NGINX_HTML_DIR} ||= html_dir()>.

=item *

With several requests in a block every check of the response is an array with
one entry each; C<error_log> and C<no_error_log> are checked after each
request, against its own lines.

=item *

A pattern in C<response_body_like> keeps its newline at the end, unless it is
given on the line of the section or through C<chomp>.

=item *

"100 Continue" is a response by itself: its body is all that follows.

=item *

Nothing but F<conf>, F<html>, F<logs>, F<cache>, F<*_temp> and F<*_cache> may
be left in the server root.

=back

=head1 WHERE IT IS STRICTER

A section that neither runner nor preprocessor knows, a section given twice, a
line that nearly opens a section, an C<eval> that fails, an nginx that is gone
at the end of a block, and anything valgrind reports, are failed points here.
The original passes over them.

=cut
