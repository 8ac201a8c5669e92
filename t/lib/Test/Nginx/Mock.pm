package Test::Nginx::Mock;

# The little TCP server of the "--- tcp_*" sections: it takes one connection,
# reads the query, sends the canned reply and closes.
#
# Socket.pm starts one before the requests of a block and stops it after
# them. The listening socket is made in the parent, so nginx can connect at
# once; the child serves it and writes what it read to a file in the server
# root, where the checks find it. The child leaves by itself when its parent
# is gone, so a killed run leaves no listener behind.

use v5.36;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG _exit);
use Time::HiRes qw(sleep);
use Test::Nginx::Settings
    qw(bad expand parse_time patience path slurp wait_until);

# A query longer than this is not kept.
use constant QUERY_MAX => 64 * 1024 * 1024;


# Returns the mock of this block, or undef when it wants none.
sub start ($class, $block, $ports) {
    my $target = expand($block->tcp_listen, $ports) // return;
    $target =~ s/^\s+|\s+$//g;

    my $reply = $block->tcp_reply;
    bad('tcp_listen needs a tcp_reply') if !defined $reply
        && !defined $block->tcp_shutdown;
    bad('tcp_reply must be text, an array of texts or a subroutine')
        if ref $reply && ref($reply) !~ /^(?:ARRAY|CODE)$/;

    my $wanted = $block->tcp_query_len;
    $wanted //= length $block->tcp_query if defined $block->tcp_query;

    my $self = bless {
        block  => $block,
        wanted => $wanted,
        parent => $$,
        file   => path('logs', 'tcp_query'),
        socket => _listen($target),
        unix   => $target =~ m{/} ? $target : undef,
    }, $class;

    unlink $self->{file};
    $self->{pid} = fork // bad("cannot fork: $!");
    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        eval { $self->_serve($reply); 1 } or warn "tcp mock: $@";
        _exit(0);
    }

    return $self;
}


sub _listen ($target) {
    my $socket;

    if ($target =~ /^\d+$/) {
        $socket = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $target,
            Proto => 'tcp', ReuseAddr => 1, Listen => 5,
        );
    } elsif ($target =~ m{/.*\.sock\z}) {
        unlink $target;
        $socket = IO::Socket::UNIX->new(Local => $target, Listen => 5);
    } else {
        bad("tcp_listen is \"$target\": give a port or a path to a .sock");
    }

    return $socket // bad("tcp_listen cannot listen on $target: $!");
}


sub _serve ($self, $reply) {
    my $block = $self->{block};

    $self->_pause_until_ready($self->{socket}) or return;
    my $client = $self->{socket}->accept or return;

    my $half = $block->tcp_shutdown;
    if (defined $half) {
        $self->_pause(parse_time($block->tcp_shutdown_delay));
        $client->shutdown($half);
    }

    my $query = '';
    $query = $self->_read($client) if !defined $half || $half == 1;

    $self->_pause(parse_time($block->tcp_reply_delay));

    $reply = $reply->($query) if ref $reply eq 'CODE';
    if (defined $reply && !$half) {
        _send($client, $_) for ref $reply ? @$reply : $reply;
    }

    $self->_pause(3600) if defined $block->tcp_no_close;
    return;
}


# One piece, or as many as it takes to reach the wanted length.
sub _read ($self, $client) {
    my $query = '';

    open my $out, '>:raw', $self->{file} or die "$self->{file}: $!\n";
    $out->autoflush(1);

    while ($self->_pause_until_ready($client)) {
        my $got = sysread $client, my $piece, 65536;
        last if !$got;

        print {$out} $piece;
        $query .= $piece;
        last if length $query >= ($self->{wanted} // 1)
            || length $query > QUERY_MAX;
    }
    return $query;
}


sub _send ($client, $text) {
    local $SIG{PIPE} = 'IGNORE';

    while (length $text) {
        my $sent = syswrite $client, $text;
        return if !defined $sent;
        substr $text, 0, $sent, '';
    }
    return;
}


# Both end early, with false, when the parent is gone.
sub _pause ($self, $seconds) {
    wait_until($seconds, sub { $self->_orphaned && _exit(0) }) if $seconds;
    return;
}


sub _pause_until_ready ($self, $handle) {
    my $select = IO::Select->new($handle);

    until ($select->can_read(0.2)) {
        return 0 if $self->_orphaned;
    }
    return 1;
}


sub _orphaned ($self) {
    return getppid != $self->{parent};
}


# What was read, waiting for the wanted length to be there.
sub query ($self) {
    my $wanted = $self->{wanted} // 0;

    wait_until(patience(), sub { (-s $self->{file} // 0) >= $wanted });
    return slurp($self->{file}) // '';
}


sub stop ($self) {
    my $pid = delete $self->{pid} or return;

    kill 'TERM', $pid;
    wait_until(patience(), sub { waitpid($pid, WNOHANG) != 0 }) or do {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    };

    close $self->{socket};
    unlink $self->{unix} if defined $self->{unix};
    return;
}


sub DESTROY ($self) {
    local ($@, $!, $?);
    $self->stop if $self->{pid} && $self->{parent} == $$;
    return;
}


1;
