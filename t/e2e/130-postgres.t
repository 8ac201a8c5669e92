# PostgreSQL goes away, comes back, stops answering; nginx is reloaded and
# ends meanwhile.  What goes over the connections is tested with the likes.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new(empty => 1);

# The migrations: all at once by two, then nothing to do, then one by one.

my @pids = map {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', "$db->{home}/migrate.$_";
        exec 'scripts/migrate', $db->conninfo or POSIX::_exit(1);
    }
    $pid;
} 1, 2;
is(join(' ', map { waitpid $_, 0; $? } @pids), '0 0',
   'two migrate at once');
my @names = sort map { m{db/(.*)\.sql} } glob 'db/*.sql';
is_deeply([ $db->sql('SELECT name FROM atelier.migration ORDER BY name') ],
          \@names, '... and each file was applied once');
is($db->migrate, '', 'a second time there is nothing to do');

$db->sql('TRUNCATE atelier.migration');
like($db->migrate, qr/^migrate: 001_designs$/m, 'each can be applied twice');

$db->sql(q{UPDATE atelier.migration SET digest = 'x' WHERE name ~ '^001'});
like($db->migrate, qr{001_designs\.sql is not what was applied},
     'an edited one is noticed');

# nginx.

my $stack = Stack->new(http =>
    "atelier_postgres '" . $db->conninfo . "' timeout=5s connections=2;");

sub state_is {
    my ($state) = @_;
    return Stack::until_true("PostgreSQL to be $state", sub {
        my $res = $stack->http->get($stack->url('/health/ready'));
        return $res->{status} == 200
               && $res->{content} =~ /"postgres":"$state"/;
    });
}

sub connections_are {
    my ($n) = @_;
    return Stack::until_true("$n connections", sub {
        return ($stack->metric('atelier_postgres_connections') // -1) == $n;
    });
}

sub sessions {
    return scalar $db->sql(q{SELECT count(*) FROM pg_stat_activity
                             WHERE application_name = 'atelier'});
}

ok(connections_are(4), 'two connections in each of two workers');
Stack::until_true('the sessions', sub { return sessions() == 4 });
pass('... and the server has as many');
is($stack->metric('atelier_postgres_up'), 1, '... up');

$db->stop;
ok(state_is('away'), 'the server ends: away, and still ready');
ok(connections_are(0), '... no connection');
is($stack->metric('atelier_postgres_up'), 0, '... not up');

$db->start;
ok(connections_are(4), 'it is started: all connections are back');

sub losses { return scalar(() = $stack->log_text =~ /connection \d was lost/g) }

my $lost = losses();
$db->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'atelier'});
Stack::until_true('losses in the log', sub { return losses() >= $lost + 4 });
ok(connections_are(4), 'sessions that are ended are made anew');

$db->stop('QUIT');
ok(state_is('away'), 'the server crashes: away');
$db->start;
ok(connections_are(4), '... and back');

# Old workers close theirs; nothing is left behind.

$stack->reload;
ok(connections_are(4), 'a reload: new workers have theirs');
Stack::until_true('old sessions to end', sub { return sessions() == 4 });
pass('... and the old ones are closed');

# A server that takes connections and says nothing: workers end all the same.

$db->freeze;
$stack->reload;
ok(state_is('away'), 'a reload with a frozen server: away');
$stack->reload;
pass('... and its workers end');
$db->thaw;
ok(connections_are(4), 'it is thawed: all is back');

my @workers = $stack->workers;
kill KILL => @workers;
$stack->gone(@workers);
Stack::until_true('new workers', sub { return 2 == $stack->workers });
ok(connections_are(4), 'the dead leave no connections in the sum');

# Over TCP with a password that stands in a file.

$db->sql(q{CREATE ROLE guest LOGIN PASSWORD 'pass-word'});
Stack::spew("$db->{home}/data/pg_hba.conf", <<'END');
local all atelier trust
host  all guest 127.0.0.1/32 scram-sha-256
END
my $port = Stack::free_port();
$db->restart('listen_addresses=127.0.0.1', "port=$port");
Stack::spew("$stack->{home}/conf/password", "pass-word\n");
my $tcp = sub {
    return (http => "atelier_postgres 'host=db.example.com user=guest"
                    . " hostaddr=127.0.0.1 port=$port dbname=atelier'"
                    . ' timeout=5s password_file=password;');
};
$stack->configure($tcp->());
$stack->reload;
ok(state_is('ok'), 'over TCP, with a password');

Stack::spew("$stack->{home}/conf/password", "wrong\n");
$stack->reload;
ok(state_is('away'), 'a wrong password: away');
like($stack->log_text, qr/password authentication failed for user "guest"/,
     '... and the log says why');
unlike($stack->log_text, qr/pass-word|wrong/, '... without the password');

my @errors = grep { /\[error\]/ && !/PostgreSQL is away/ }
             split /\n/, $stack->log_text;
is(join("\n", @errors), '', 'no other errors');

$stack->finish(allow => qr/exited on signal 9/);
done_testing();
