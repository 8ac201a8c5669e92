# Live channels in PostgreSQL: ids are dense and in the order of commits
# whatever transactions do, the cap is exact, and likes are told of by whoever
# changes them.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use Test::More;
use Time::HiRes ();

my $db = Postgres->new;

sub until_true {
    my ($what, $code) = @_;
    my $end = Time::HiRes::time() + 60;
    while (Time::HiRes::time() < $end) {
        return 1 if $code->();
        Time::HiRes::sleep(0.02);
    }
    die "waited in vain for $what\n";
}

# A statement of somebody's that waits for a lock.
sub waiting {
    my ($n) = @_;
    until_true("$n to wait", sub {
        return $n == $db->sql(q{SELECT count(*) FROM pg_stat_activity
                                WHERE wait_event_type = 'Lock'});
    });
    return;
}

sub publish { return "SELECT atelier.live_publish('$_[0]', '$_[1]')"; }
sub value   { return scalar $db->sql(qq{SELECT id, data FROM
                                        atelier.live_value('$_[0]')}); }
sub outbox  {
    return join ' ', $db->sql(q{SELECT channel || '=' || id || '=' || data
                                FROM atelier.outbox ORDER BY seq});
}
sub ids {
    my ($channel, $since) = @_;
    return join ' ', $db->sql(sprintf q{SELECT id FROM
        atelier.live_since('%s', %d)}, $channel, $since // 0);
}

# One writer.

is($db->sql(publish('product:ikea:1', '{"price":"1.00"}')), 1, 'the first id');
is($db->sql(publish('product:ikea:1', '{"price":"2.00"}')), 2, '... the next');
is($db->sql(publish('products', '[1]')), 1, 'each channel counts by itself');
is(value('product:ikea:1'), '2|{"price":"2.00"}', 'the current value');
is(value('product:none'), undef, '... of what is unknown');
is(outbox(), 'product:ikea:1=1={"price":"1.00"} '
   . 'product:ikea:1=2={"price":"2.00"} products=1=[1]',
   'all of it waits for the relay');
is(ids('product:ikea:1'), '1 2', 'all can be sent again');
is(ids('product:ikea:1', 1), '2', '... what is newer');
is(ids('product:ikea:1', 2), '', '... if anything is');
$db->sql('TRUNCATE atelier.outbox');

# What is refused.

my $one = $db->session;
my $two = $db->session;
like(join(' ', $one->ask(publish($_, '{}'))), qr/ERROR:\s+22023: .*Use products/,
     "no channel: $_")
    for 'price:1', 'product', 'product:', 'products:1', 'product:a b',
        "product:\x{c3}\x{a9}", 'product:a/b', 'product:' . 'x' x 121, '',
        "product:1\n";
is($db->sql(publish('product:' . 'x' x 120, '{}')), 1, '128 bytes are one');
like(join(' ', $one->ask(q{SELECT atelier.live_publish('products',
                           to_json(repeat('x', 65535)))})),
     qr/ERROR:\s+54000: the data for products have 65537 bytes/, 'too large');
is($one->ask(q{SELECT atelier.live_publish('products',
               to_json(repeat('x', 65534)))}), 2, '... and just not');
like(join(' ', $one->ask(publish('products', '{"a":'))), qr/ERROR:\s+22P02/,
     'no JSON');
like(join(' ', $one->ask(q{SELECT atelier.live_publish('products', NULL)})),
     qr/ERROR:\s+23502/, 'nothing');
is($db->sql(publish('products', '3')), 3, 'none of them took an id');

# Two at once: the second waits for the first and comes after it.

$_->ask('BEGIN') for $one, $two;
is($one->ask(publish('product:a', '"one"')), 1, 'one has published');
$two->send(publish('product:a', '"two"'));
waiting(1);
$one->ask('COMMIT');
is($two->answer, 2, 'two waited for its commit');
is(value('product:a'), '1|"one"', '... and is not there before its own');
$two->ask('COMMIT');
is(value('product:a'), '2|"two"', '... but then');

# A rollback leaves no hole and no trace.

$_->ask('BEGIN') for $one, $two;
is($one->ask(publish('product:a', '"gone"')), 3, 'one has published');
$two->send(publish('product:a', '"three"'));
waiting(1);
$one->ask('ROLLBACK');
is($two->answer, 3, 'its id is given to the next');
$two->ask('COMMIT');
$one->ask('BEGIN');
$one->ask('SAVEPOINT s');
$one->ask(publish('product:a', '"no"'));
$one->ask('ROLLBACK TO s');
is($one->ask(publish('product:a', '"four"')), 4, 'a savepoint, too');
$one->ask('COMMIT');
is(ids('product:a'), '1 2 3 4', 'no hole');
is(join(' ', $db->sql(q{SELECT data FROM
                        atelier.live_since('product:a', 0)})),
   '"one" "two" "three" "four"', '... and nothing that was not committed');

# Sequence numbers of the outbox are out of order when commits are: what has
# the lower one comes later.

$_->ask('BEGIN') for $one, $two;
$one->ask(publish('product:b', '"early"'));
$two->ask(publish('product:c', '"late"'));
$two->ask('COMMIT');
like(outbox(), qr/product:c=1=\S+$/, 'the later number alone is seen');
$one->ask('COMMIT');
like(outbox(), qr/product:b=1=\S+ product:c=1=\S+$/, '... then the earlier');

# Time never goes back in a channel, though the transaction that began first
# published last.

$_->ask('BEGIN') for $one, $two;
$one->ask('SELECT now()');
$two->ask(publish('product:d', '1'));
$two->ask('COMMIT');
$one->ask(publish('product:d', '2'));
$one->ask('COMMIT');
is($db->sql(q{SELECT count(*) FROM atelier.live_message a
              JOIN atelier.live_message b USING (channel)
              WHERE a.id < b.id AND a.at > b.at}), 0, 'times go with ids');

# Somebody who listens is told of commits alone.

my $ear = $db->session;
$ear->ask('LISTEN atelier_outbox');
$one->ask('BEGIN');
$one->ask(publish('product:e', '1'));
is(join(' ', $ear->ask('SELECT 1')), '1', 'not told before the commit');
$one->ask('COMMIT');
like(join(' ', $ear->ask('SELECT 1')), qr/notification "atelier_outbox"/,
     '... but by it');

# The cap.

$db->sql(q{SELECT atelier.live_publish('product:f', '0')
           FROM generate_series(1, 1000)});
is(ids('product:f'), join(' ', 1 .. 1000), '1,000 are kept');
$db->sql(q{SELECT atelier.live_publish('product:f', '0')});
is(ids('product:f'), join(' ', 2 .. 1001), '... and no more');
$db->sql(q{SELECT atelier.live_publish('product:f', '0')
           FROM generate_series(1, 2500)});
is(ids('product:f'), join(' ', 2502 .. 3501), '... in one transaction, too');
is($db->sql(q{SELECT count(*) FROM atelier.outbox
              WHERE channel = 'product:f'}), 3501, 'the outbox has them all');

# Many at once, some of which change their minds.

my @pids = map {
    my $child = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $psql = $db->session;
        for my $n (1 .. 50) {
            $psql->ask(join ';', 'BEGIN',
                       publish('product:many', "[$child,$n]"),
                       $n % 5 ? 'COMMIT' : 'ROLLBACK');
        }
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 8;
waitpid $_, 0 for @pids;
is(value('product:many') =~ s/\|.*//r, 320, '320 of 400 are there');
is(ids('product:many'), join(' ', 1 .. 320), '... without a hole');
is($db->sql(q{SELECT count(*) FROM (SELECT data->>0 AS child,
              (data->>1)::int - lag((data->>1)::int) OVER
                  (PARTITION BY data->>0 ORDER BY id) AS step
              FROM atelier.live_since('product:many', 0)) AS s
              WHERE step NOT IN (1, 2)}), 0, '... in the order of each writer');

# Likes.

sub likes {
    my ($design) = @_;
    return join ' ', $db->sql(qq{SELECT id || '=' || data
                                 FROM atelier.live_since('design:$design', 0)});
}
sub visitor { return sprintf q{'\\x%032x'}, $_[0]; }
sub like_it {
    my ($design, $visitor, $liked) = @_;
    $db->sql(sprintf q{SELECT atelier.set_like('%s', %s, %s, %d)}, $design,
             visitor($visitor), $liked ? 'true' : 'false',
             (time + 60) * 1000);
    return;
}
is(value('design:pexels:1'), '0|{"id":"pexels:1","likes":0}',
   'a design nobody has liked');
like_it('pexels:1', 1, 1);
is(value('design:pexels:1'), '1|{"id":"pexels:1","likes":1}', 'a like');
like_it('pexels:1', 1, 1);
like_it('pexels:1', 2, 1);
like_it('pexels:1', 1, 0);
is(likes('pexels:1'), join(' ', '1={"id":"pexels:1","likes":1}',
                           '2={"id":"pexels:1","likes":2}',
                           '3={"id":"pexels:1","likes":1}'),
   'each change of the count is told, and no more');
$db->sql(q{UPDATE atelier.design_like SET at = now()});
is(value('design:pexels:1') =~ s/\|.*//r, 3, '... not of what is no change');
$db->sql(sprintf q{INSERT INTO atelier.design_like (design_id, visitor)
                   SELECT 'pexels:' || d, %s FROM generate_series(1, 3) d},
         visitor(3));
is(join(' ', map { value("design:pexels:$_") } 1 .. 3),
   join(' ', map { my $n = $_ == 1 ? 2 : 1;
                   ($_ == 1 ? 4 : 1) . qq(|{"id":"pexels:$_","likes":$n}) }
        1 .. 3), 'by psql as well');
$db->sql(q{DELETE FROM atelier.design_likes WHERE design_id = 'pexels:3'});
is(value('design:pexels:3'), '2|{"id":"pexels:3","likes":0}',
   'a count that is removed');
$db->sql('ALTER TABLE atelier.design_likes DISABLE TRIGGER USER');
$db->sql(q{INSERT INTO atelier.design_likes (design_id, n)
           VALUES ('pexels:old', 7)});
$db->sql('ALTER TABLE atelier.design_likes ENABLE TRIGGER USER');
is(value('design:pexels:old'), '0|{"id":"pexels:old","likes":7}',
   'one from before there were channels');
$db->sql('TRUNCATE atelier.design_like');
is(join(' ', map { value("design:pexels:$_") } 1, 2, 3, 'old'),
   join(' ', '5|{"id":"pexels:1","likes":0}', '2|{"id":"pexels:2","likes":0}',
        '2|{"id":"pexels:3","likes":0}', '1|{"id":"pexels:old","likes":0}'),
   'TRUNCATE is told, of those that had any');

# The migration may be applied again, with all in place.

$db->sql(q{DELETE FROM atelier.migration WHERE name = '003_live'});
like($db->migrate, qr/003_live/, 'applied twice');
is(value('product:a'), '4|"four"', '... and nothing is lost');

# Publishing takes the same few pages however often it was done.

$db->sql('TRUNCATE atelier.outbox');
$db->sql(q{DO $$ BEGIN FOR i IN 1 .. 3000 LOOP
               PERFORM atelier.live_publish('product:hot', '0'); COMMIT;
           END LOOP; END $$});
until_true('statistics', sub {
    return $db->sql(q{SELECT n_tup_upd > 3000 FROM pg_stat_user_tables
                      WHERE relname = 'live_channel'}) eq 't';
});
is($db->sql(q{SELECT n_tup_hot_upd > n_tup_upd * 0.9 FROM pg_stat_user_tables
              WHERE relname = 'live_channel'}), 't',
   "a channel's row is updated without its index");

done_testing();
