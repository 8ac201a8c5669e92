package Ear;

# Somebody who hears what is published on all live channels in a PrivateRedis.
#
#     my $ear = Ear->new($redis);
#     $ear->hear;             # so far: ('product:1=1 {...}', ...)
#     $ear->forget;

use strict;
use warnings;

use IO::Socket::UNIX ();
use Worker;

sub new {
    my ($class, $redis) = @_;
    my $self = bless { got => [], buf => '' }, $class;
    $self->{socket} = IO::Socket::UNIX->new(Peer => $redis->{socket})
        or die "connect: $!";
    print { $self->{socket} } "PSUBSCRIBE atelier:live:*\r\n";
    $self->{socket}->flush;
    $self->{socket}->blocking(0);
    Worker::until_true('the subscription', sub {
        $self->_read;
        return $self->{buf} =~ s/^\*3\r\n\$10\r\npsubscribe\r\n.*?:1\r\n//s;
    });
    return $self;
}

sub _read {
    my ($self) = @_;
    1 while sysread $self->{socket}, $self->{buf}, 65536,
                    length $self->{buf};
    return;
}

sub hear {
    my ($self) = @_;
    $self->_read;
    push @{ $self->{got} }, "$1=$2"
        while $self->{buf} =~ /\G\*4\r\n\$8\r\npmessage\r\n\$\d+\r\n[^\r]*\r\n
                               \$\d+\r\natelier:live:([^\r]*)\r\n
                               \$\d+\r\n([^\r]*)\r\n/gcx;
    substr $self->{buf}, 0, pos($self->{buf}) // 0, '';
    return @{ $self->{got} };
}

sub forget {
    my ($self) = @_;
    @{ $self->{got} } = ();
    return;
}

1;
