package PrivateRedis;

# A redis-server of a test's own, on a Unix socket in a folder of its own, and
# a small client to look into it.  Core Perl only.
#
#     my $redis = PrivateRedis->new(args => [...]);
#     $redis->address;                    # for atelier_redis
#     $redis->ask('GET', 'key');          # undef, text, number or [list]
#     $redis->kill; $redis->start; $redis->pause; $redis->resume;
#
# It is ended with the object.

use strict;
use warnings;

use File::Temp ();
use IO::Socket::UNIX ();
use POSIX ();
use Time::HiRes ();

my $DEADLINE = 60;      # seconds

sub new {
    my ($class, %opt) = @_;
    my $self = bless {
        dir  => File::Temp->newdir('redis-XXXXXX', TMPDIR => 1, CLEANUP => 1),
        args => $opt{args} // [],
        auth => $opt{auth},
    }, $class;
    $self->{socket} = "$self->{dir}/s";
    chmod 0755, "$self->{dir}";
    $self->start if !$opt{later};
    return $self;
}

sub address { return "unix:$_[0]{socket}" }

sub start {
    my ($self) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', "$self->{dir}/log" or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        exec 'redis-server', '--port', 0, '--unixsocket', $self->{socket},
            '--unixsocketperm', 777, '--save', '', '--appendonly', 'no',
            '--daemonize', 'no', '--dir', "$self->{dir}",
            @{ $self->{args} } or POSIX::_exit(1);
    }
    $self->{pid} = $pid;
    my $end = Time::HiRes::time() + $DEADLINE;
    until (eval { $self->ask('PING') eq 'PONG' }) {
        die "redis-server does not start\n" if Time::HiRes::time() > $end;
        Time::HiRes::sleep(0.01);
    }
    return $self;
}

# As a crash would end it.
sub kill {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    delete $self->{client};
    CORE::kill KILL => $pid;
    CORE::kill CONT => $pid;
    waitpid $pid, 0;
    unlink $self->{socket};
    return;
}

# Its socket takes connections and bytes, but nothing answers.
sub pause  { CORE::kill STOP => $_[0]{pid}; return }
sub resume { CORE::kill CONT => $_[0]{pid}; return }

sub ask {
    my ($self, @words) = @_;
    if (!$self->{client}) {
        $self->{client} = IO::Socket::UNIX->new(Peer => $self->{socket})
            or die "connect: $!\n";
        $self->{client}->autoflush(1);
        $self->ask('AUTH', $self->{auth}) if $self->{auth};
    }
    print { $self->{client} } '*' . @words . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } @words;
    return $self->_answer;
}

sub _answer {
    my ($self) = @_;
    my $line = readline $self->{client};
    if (!defined $line) {
        delete $self->{client};
        die "redis-server closed the connection\n";
    }
    $line =~ s/\r\n\z//;
    my ($type, $rest) = $line =~ /^(.)(.*)/s;
    die "redis: $rest\n" if $type eq '-';
    return $rest if $type eq '+' || $type eq ':';
    return undef if $rest < 0;
    if ($type eq '$') {
        read $self->{client}, my $text, $rest + 2;
        return substr $text, 0, $rest;
    }
    return [ map { $self->_answer } 1 .. $rest ];
}

# Lines of INFO, as a hash.
sub info {
    my ($self, $section) = @_;
    return { map { /^(\w+):(.*)/ ? ($1, $2) : () }
             split /\r\n/, $self->ask('INFO', $section) };
}

# Clients that are not this one.
sub clients {
    my ($self) = @_;
    my $me = $self->ask('CLIENT', 'ID');
    return grep { !/^id=$me / } split /\n/, $self->ask('CLIENT', 'LIST');
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    $self->kill;
    return;
}

1;
