package Test::Nginx::Settings;

# What every part of the runner shares: the settings (environment first,
# then the functions a test file calls) and a few small helpers.
#
# Owned here: %Conf, the one table of settings of this process. It is filled
# once when the module is loaded, because the environment is the outermost
# say; Socket.pm changes it on behalf of the test file; all others only read.
#
# bad() is how any part reports a mistake in a block: it dies with one clear
# line, and Socket.pm turns that line into a failed test of the block, so one
# bad block never ends the whole run.

use v5.36;
use Exporter 'import';
use File::Spec;
use IO::Socket::INET;
use List::Util  qw(max);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(
    %Conf bad diagnose expand free_port parse_time patience path
    slurp spew verbose wait_until
);

# Below Linux' range of ephemeral ports, so that no outgoing connection of
# another program can take the port between our look and nginx' bind.
use constant { PORT_MIN => 20_000, PORT_MAX => 32_000 };

our %Conf = (
    binary             => $ENV{TEST_NGINX_BINARY},
    server_addr        => '127.0.0.1',
    server_name        => 'localhost',
    server_port        => $ENV{TEST_NGINX_SERVER_PORT}
        || $ENV{TEST_NGINX_PORT} || 1984,
    servroot           => $ENV{TEST_NGINX_SERVROOT} || 't/servroot',
    workers            => 1,
    worker_connections => 64,
    worker_user        => $ENV{TEST_NGINX_WORKER_USER},
    master             => $ENV{TEST_NGINX_MASTER_PROCESS} || 'off',
    log_level          => $ENV{TEST_NGINX_LOG_LEVEL} || 'debug',
    load_modules       => $ENV{TEST_NGINX_LOAD_MODULES} // '',
    postpone_output    => $ENV{TEST_NGINX_POSTPONE_OUTPUT},
    preamble           => '',
    env_to_nginx       => [],
    no_root_location   => 0,
    no_shuffle         => $ENV{TEST_NGINX_NO_SHUFFLE} || 0,
    no_clean           => $ENV{TEST_NGINX_NO_CLEAN} || 0,
    repeat_each        => 1,
    timeout            => $ENV{TEST_NGINX_TIMEOUT} || 3,
    sleep              => $ENV{TEST_NGINX_SLEEP} || 0.015,
    use_hup            => $ENV{TEST_NGINX_USE_HUP} || 0,
    use_valgrind       => $ENV{TEST_NGINX_USE_VALGRIND},
    accumulate_log     => $ENV{TEST_NGINX_CHECK_ACCUM_ERR_LOG} || 0,
    verbose            => $ENV{TEST_NGINX_VERBOSE} || 0,
);

if ($ENV{TEST_NGINX_RANDOMIZE}) {
    $Conf{server_port} = free_port({});
    $Conf{servroot}    = "t/servroot_$Conf{server_port}";
    $Conf{randomized}  = 1;
}

$Conf{client_port} = $ENV{TEST_NGINX_CLIENT_PORT} || $Conf{server_port};
$Conf{servroot}    = File::Spec->rel2abs($Conf{servroot});
$ENV{TEST_NGINX_SERVER_ROOT} = $Conf{servroot};

if (defined $Conf{worker_user}
    && $Conf{worker_user} !~ /^\w[-\w]*(?:\s+\w[-\w]*)?$/)
{
    die "TEST_NGINX_WORKER_USER is \"$Conf{worker_user}\": give a user name, "
        . "or a user and a group\n";
}


sub bad ($text) {
    chomp $text;
    die "$text\n";
}


# Lines for the reader of a failed run; Test::More puts "# " before each.
sub diagnose (@lines) {
    Test::More::diag(join '', map { /\n\z/ ? $_ : "$_\n" } @lines);
}


sub verbose ($text) {
    diagnose($text) if $Conf{verbose};
}


# A file inside the server root.
sub path (@parts) {
    return File::Spec->catfile($Conf{servroot}, @parts);
}


# "200ms", "2s" or plain seconds; undef stays undef.
sub parse_time ($text) {
    return $text if !defined $text;

    $text =~ s/^\s+|\s+$//g;
    return $1 / 1000 if $text =~ /^([\d.]+)ms$/;
    return $1 + 0    if $text =~ /^([\d.]+)s?$/;

    bad("\"$text\" is not a time: write 200ms, 2s or 0.2");
}


# How long to wait for something that should come by itself at any moment
# (a line in a log, a process that ends). Never a measure of the product.
sub patience () {
    return max(1, $Conf{sleep} * 60) * ($Conf{use_valgrind} ? 10 : 1);
}


# Polls until the code returns something true, and returns that; false when
# the seconds are over. The pause grows from 2 ms to 50 ms.
sub wait_until ($seconds, $code) {
    my $end   = time + $seconds;
    my $pause = 0.002;

    while (1) {
        my $got = $code->();
        return $got if $got;
        return !!0  if time >= $end;

        sleep $pause;
        $pause *= 1.5 if $pause < 0.05;
    }
}


# $TEST_NGINX_NAME from the environment; $TEST_NGINX_RAND_PORT_n is a free
# port, the same one through the whole block (kept in %$ports).
sub expand ($text, $ports) {
    return $text if !defined $text || ref $text;

    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{_variable($1, $ports)}ge;
    return $text;
}


sub _variable ($name, $ports) {
    if ($name =~ /^TEST_NGINX_RAND_PORT_\d+$/) {
        $ports->{$name} = free_port($ports) if !defined $ports->{$name};
        return $ports->{$name};
    }

    return $ENV{$name} if defined $ENV{$name};

    bad("\$$name is used but not set in the environment; set \$ENV{$name} "
        . 'before run_tests()');
}


sub free_port ($taken) {
    my %used = map { $_ => 1 } $Conf{server_port} // 0, values %$taken;

    for (1 .. 1000) {
        my $port = PORT_MIN + int rand(PORT_MAX - PORT_MIN);
        next if $used{$port};

        my $probe = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1',
            LocalPort => $port,
            Proto     => 'tcp',
            Listen    => 1,
            ReuseAddr => 1,
        );
        return $port if $probe;
    }

    bad('no free port found in ' . PORT_MIN . ' to ' . PORT_MAX);
}


sub slurp ($file) {
    open my $in, '<:raw', $file or return undef;
    local $/;
    return readline($in) // '';
}


sub spew ($file, $text) {
    open my $out, '>:raw', $file or bad("cannot write $file: $!");
    print {$out} $text;
    close $out or bad("cannot write $file: $!");
    return;
}


1;
