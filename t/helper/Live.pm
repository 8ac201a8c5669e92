package Live;

# Live channels for tests: a client of the protocol, and what atelier-relay
# does, by hand, so that a test decides when.
#
#     my $live = Live->new($port, '/live');
#     $live->subscribe('product:1', since => 7);
#     my $message = $live->next;              # a decoded message
#     my @list = $live->take(3);
#
#     my ($status, $answer) = Live->poster($port)->post('?channel=products',
#                                                       '{}', $token);
#     Live::relay($redis, 'product:1', 8, '{"n":8}');     # stream, publish
#     my $id = Live::commit($db, 'product:1', '{"n":9}'); # PostgreSQL alone
#
# Core Perl only.

use strict;
use warnings;

use JSON::PP ();
use Socket ();
use WebSocket;

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, $port, $path, %headers) = @_;
    my $ws = WebSocket->open($port, $path // '/live', %headers);
    setsockopt $ws->{socket}, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
    my $flat = ($path // '') =~ m{^/ws/} ? 1 : 0;
    return bless { ws => $ws, flat => $flat }, $class;
}

sub ws { return $_[0]{ws} }

sub say {
    my ($self, %message) = @_;
    return $self->{ws}->text($json->encode(\%message));
}

sub subscribe {
    my ($self, $channel, %more) = @_;
    $self->{asked}++ if !$self->{flat};
    return $self->say(type => 'subscribe', channel => $channel, %more);
}

sub unsubscribe {
    my ($self, $channel) = @_;
    return $self->say(type => 'unsubscribe', channel => $channel);
}

sub next {
    my ($self) = @_;
    my $text = $self->{ws}->message;
    my $message = eval { $json->decode($text) } // return $text;
    $self->{asked}-- if ref $message eq 'HASH' && $self->{asked}
                        && ($message->{type} // '') =~ /^(subscribed|error)$/;
    return $message;
}

sub take {
    my ($self, $n) = @_;
    return map { $self->next } 1 .. $n;
}

# What has come by the time that all subscriptions and a ping are answered.
sub rest {
    my ($self) = @_;
    my @list;
    while ($self->{asked}) {
        my $message = $self->next;
        return @list if !ref $message;
        push @list, $message;
    }
    $self->say(type => 'ping', t => 'rest');
    for (;;) {
        my $message = $self->next;
        return @list if !ref $message;
        return @list if ($message->{type} // '') eq 'pong';
        push @list, $message;
    }
}

sub key { return "atelier:live:$_[0]" }

# Into the stream, without telling anybody.
sub add {
    my ($redis, $channel, $id, $data) = @_;
    $redis->ask('XADD', key($channel), 'MAXLEN', '~', 1000, "$id-0", 'd',
                $data);
    return;
}

sub relay {
    my ($redis, $channel, $id, $data) = @_;
    add($redis, $channel, $id, $data);
    return $redis->ask('PUBLISH', key($channel), "$id $data");
}

sub commit {
    my ($db, $channel, $data) = @_;
    return $db->sql("SELECT atelier.live_publish('$channel', '$data')");
}

# POST /publish on a connection that is kept: headers and body in one packet.
# Returns the status and the body.
sub post {
    my ($self, $query, $body, $token) = @_;
    my $ws = $self->{ws};
    $ws->send("POST /publish$query HTTP/1.1\r\nHost: a\r\n",
              "Authorization: Bearer $token\r\n",
              "Content-Type: application/json\r\n",
              'Content-Length: ', length $body, "\r\n\r\n", $body);
    $ws->response;
    return ($ws->{status}, $ws->body);
}

sub poster {
    my ($class, $port) = @_;
    my $ws = WebSocket->connect($port);
    setsockopt $ws->{socket}, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
    return bless { ws => $ws }, $class;
}

# Until so many nginx workers listen to it in Redis.
sub heard {
    my ($redis, $channel, $n) = @_;
    return Stack::until_true("$channel to be heard", sub {
        return $redis->ask('PUBSUB', 'NUMSUB', key($channel))->[1] == $n;
    });
}

1;
