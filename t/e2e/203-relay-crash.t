# Relays killed at any point, two at a time, under load: every message that
# was committed is in Redis once, in order, and nothing else is.

use strict;
use warnings;
use lib 't/helper';
use Ear;
use POSIX ();
use Postgres;
use PrivateRedis;
use Test::More;
use Time::HiRes ();
use Worker;

my $ROUNDS = $ENV{ATELIER_ROUNDS} || 25;
my @CHANNELS = map { "product:load$_" } 1 .. 6;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $ear = Ear->new($redis);

my $settings = {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
    # the poll is no help: what is not seen at once is seen too late
    relay    => { poll => '1m', batch => 20 },
};

sub left { return $db->sql('SELECT count(*) FROM atelier.outbox'); }

# Writers: some channels a transaction, in the order of names; some of it is
# taken back.

my $main = $$;
my @writers;
END { kill KILL => @writers if $$ == $main }

@writers = map {
    my $child = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        srand $child;
        my $psql = $db->session;
        for my $n (1 .. 1e6) {
            my @some = grep { rand() < 0.4 } @CHANNELS;
            $psql->ask(join ';', 'BEGIN', (map {
                "SELECT atelier.live_publish('$_', '[$child,$n]')" } @some),
                rand() < 0.2 ? 'ROLLBACK' : 'COMMIT');
            POSIX::_exit(0) if !kill 0 => $main;
        }
    }
    $pid;
} 1 .. 3;

srand 1;
my @relays = map { Worker->new('relay', $settings) } 1, 2;
my $killed = 0;
for my $round (1 .. $ROUNDS) {
    Worker::until_true('one that relays', sub {
        return grep { $_->metric('atelier_relay_active') } @relays;
    });
    Time::HiRes::sleep(rand 0.1);
    $ear->hear;
    my ($active) = grep { $_->metric('atelier_relay_active') } @relays;
    my $victim = $active // $relays[0];
    $victim->signal('KILL');
    $killed++ if $victim->ended == -9;
    $victim->start;
}
is($killed, $ROUNDS, "$ROUNDS relays killed while they worked");

kill TERM => @writers;
waitpid $_, 0 for splice @writers;
Worker::until_true('writers to be gone', sub {
    return !$db->sql(q{SELECT count(*) FROM pg_stat_activity
                       WHERE application_name = 'psql'
                         AND pid <> pg_backend_pid()});
});
Worker::until_true('the outbox', sub { left() == 0 });

my %last = map { split /[|]/ }
           $db->sql('SELECT name, id FROM atelier.live_channel');
Worker::until_true('the last of each', sub {
    my %now = map { /^(\S+)=(\d+) / } $ear->hear;
    return !grep { ($now{$_} // 0) < $last{$_} } @CHANNELS;
});
my %heard;
for ($ear->hear) {
    my ($channel, $id) = /^(\S+)=(\d+) /;
    push @{ $heard{$channel} }, $id;
}
my $total = 0;
for my $channel (@CHANNELS) {
    my $last = $last{$channel};
    $total += $last;
    is("@{ $heard{$channel} }", join(' ', 1 .. $last),
       "$channel: $last messages, all in order, all once");
    my @stream = map { $_->[0] =~ s/-0\z//r }
                 @{ $redis->ask('XRANGE', "atelier:live:$channel", '-', '+') };
    is("@stream", join(' ', $last - @stream + 1 .. $last),
       '... and in the stream');
}
diag "$total messages";
$_->signal('TERM') for @relays;
is($_->ended, 0, 'ends well') for @relays;

done_testing();
