# The queue's table and its functions, by psql alone: whose turn it is, leases
# and fences, keys, seeds, what is told on the channels, and that it stays
# quick with 10,000 waiting.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use Test::More;
use Time::HiRes ();

my $db = Postgres->new;
my $one = $db->session;

# Both files can be applied twice.

$db->sql('DELETE FROM atelier.migration WHERE name >= \'003\'');
unlike($db->migrate, qr/ERROR/, 'the migration can be applied again');

my $LATER = 4_000_000_000_000;      # ms; nobody has given up before that
my $PAST = 1_000;

sub id { return sprintf '%032x', $_[0]; }
sub visitor { return sprintf '\x%032x', $_[0]; }
sub quote { return defined $_[0] ? "'$_[0]'" : 'NULL'; }

# The arguments that make a row.
sub columns {
    my (%o) = @_;
    my $prompt = $o{prompt} // 'a room';
    return join ', ', quote(visitor($o{by} // 1)),
        quote(qq({"prompt":"$prompt"})),
        "sha256(convert_to('$prompt' || '@{[ $o{seed} // '' ]}', 'UTF8'))",
        $o{seed} // 'NULL', quote($o{key}),
        defined $o{key}
            ? "sha256(convert_to('@{[ $o{body} // $prompt ]}', 'UTF8'))"
            : 'NULL',
        "'req-1'";
}

sub begin {
    my ($n, %o) = @_;
    return scalar $one->ask('SELECT state, id, status, result, "position", eta'
        . " FROM atelier.generation_begin('@{[ id($n) ]}', "
        . columns(%o) . ', ' . ($o{expires} // $LATER)
        . (defined $o{lease} ? ", $o{lease}" : '') . ')');
}

sub queue_sql {
    my ($n, %o) = @_;
    return 'SELECT state, "position" FROM atelier.generation_queue('
        . "'@{[ id($n) ]}', " . columns(%o) . ', '
        . quote($o{jobs}) . ', ' . ($o{expires} // $LATER)
        . (defined $o{most} ? ", $o{most}" : '') . ')';
}

sub queue { return scalar $one->ask(queue_sql(@_)); }

# "n fence tries", or "".
sub take {
    my ($lease) = @_;
    my ($row) = $one->ask('SELECT id, fence, tries, jobs, request, request_id'
        . " FROM atelier.generation_take('me', @{[ $lease // 60_000 ]})");
    return '' if !defined $row;
    my ($id, $fence, $tries) = split /\|/, $row;
    return join ' ', hex(substr $id, 16), $fence, $tries;
}

sub call {
    my ($function, $n, @rest) = @_;
    return scalar $one->ask("SELECT atelier.generation_$function("
                           . join(', ', "'@{[ id($n) ]}'", @rest) . ')');
}

sub done { return call('done', $_[0], $_[1], quote(answer($_[0]))) }

sub answer {
    my $id = id($_[0]);
    return qq({"id": "$id", "status": "done", "url": "/generated/$id.png"});
}

# The statuses that went out on its channel.
sub told {
    my ($n) = @_;
    return map { /"status": ?"(\w+)"/ ? $1 : $_ }
           $one->ask("SELECT data FROM atelier.live_message WHERE channel ="
                     . " 'generate:@{[ id($n) ]}' ORDER BY id");
}

sub get {
    my ($n) = @_;
    return scalar $one->ask("SELECT atelier.generation_get('@{[ id($n) ]}')");
}

sub clear { $one->ask('DELETE FROM atelier.generation'); return }

# First in, first out for one; in turns between several.

queue(1, by => 1);
queue(2, by => 1);
queue(3, by => 1);
is(queue(4, by => 2), 'queued|2', 'who comes later has the turn of the first');
is(queue(5, by => 2), 'queued|4', '... and then that of the second');
is(queue(6, by => 3), 'queued|3', 'a third one likewise');
like(get(3), qr/"position":6/, 'who asked for much waits for it');
is(take(), '1 1 1', 'first the first');
is(queue(7, by => 4), 'queued|5',
   'who comes while a turn is served has the one after it');
is(join(' ', map { (split / /, take())[0] } 1 .. 6), '4 6 2 5 7 3',
   'in turns, and within one of them as they came');
is(take(), '', 'then there is nothing');
is(queue(8, by => 1), 'queued|1', 'the queue is empty again');
clear();

# What is at work counts as served: nobody overtakes those of this turn.

queue($_, by => 1) for 1 .. 5;
take() for 1 .. 4;
done($_, 1) for 1 .. 3;
is(queue(6, by => 2), 'queued|2', 'the turn that waits is not overtaken');
clear();

# ... nor is it when an old one comes once more, or some were cancelled.

queue($_, by => 1) for 1 .. 5;
take();
call('cancel', $_, quote(visitor(1))) for 2, 3;
is(queue(6, by => 2), 'queued|2', 'what waits says whose turn it is, too');
clear();

# Two at once of one visitor, and of several.

my @sessions = map { $db->session } 1 .. 4;
$sessions[0]->ask('BEGIN');
$sessions[0]->ask(queue_sql(1, by => 1));
$sessions[1]->send(queue_sql(2, by => 1));
$sessions[2]->ask(queue_sql(3, by => 2));
$sessions[0]->ask('COMMIT');
is($sessions[1]->answer, 'queued|3', 'the second one waits for the first');
is($one->ask('SELECT string_agg(turn::text, \' \' ORDER BY id)'
            . ' FROM atelier.generation'), '1 2 1',
   '... and has the turn after it, whoever commits when');
clear();

# Two takers never get the same.

queue($_, by => $_ % 7) for 1 .. 200;
$_->send(<<'END') for @sessions;
DO $$ DECLARE i integer; r record; BEGIN
    CREATE TEMP TABLE IF NOT EXISTS got (id text);
    LOOP
        SELECT * INTO r FROM atelier.generation_take('x', 60000);
        EXIT WHEN r.id IS NULL;
        INSERT INTO got VALUES (r.id);
        COMMIT;
    END LOOP;
END $$
END
$_->answer for @sessions;
my %got;
for my $session (@sessions) {
    $got{$_}++ for $session->ask('SELECT id FROM got');
}
is(scalar keys %got, 200, 'four takers got all');
is((grep { $_ != 1 } values %got), 0, '... each of them once');
is($one->ask('SELECT max(fence) FROM atelier.generation'), 1,
   '... and none was taken twice');
clear();

# Leases and fences.

queue(1);
queue(2);
is(take(1), '1 1 1', 'a short lease');
$one->ask('SELECT pg_sleep(0.01)');
is(take(), '1 2 2', 'is over, and the row is somebody else\'s');
is(call('renew', 1, 1, 1000), 'f', 'the first cannot go on');
is(call('retry', 1, 1, 0, 'NULL', "'x'"), 'f', '... nor give it back');
is(call('fail', 1, 1, quote('{"code":"x"}')), 'stale', '... nor end it badly');
is(done(1, 1), 'stale', '... nor well');
is(call('renew', 1, 2, 60_000), 't', 'the second can');
is(done(1, 2), 'done', '... and has done it');
is(done(1, 2), 'done', '... which it may say twice');
is(get(1), answer(1), 'that is what is shown, to the letter');
is(call('fail', 1, 2, quote('{"code":"x"}')), 'stale', 'done is done');
is(take(), '2 1 1', 'the next');
is(call('retry', 2, 1, 0, quote('[{"provider":"r","job":"j"}]'), "'late'"),
   't', 'given back');
is(done(2, 1), 'done', 'a picture that comes after that is taken');
is(done(9, 1), 'gone', 'a row that there is not');
queue(3);
take();
call('retry', 3, 1, 60_000, quote('[{"provider":"r","job":"j"}]'), "'busy'");
is(take(), '', 'not before its time');
$one->ask('UPDATE atelier.generation SET not_before = now()');
is(take(), '3 2 2', 'then it is tried again');
like(scalar($one->ask('SELECT jobs FROM atelier.generation WHERE status = '
                     . "'running'")), qr/"job":"j"/, 'its job is still known');
call('retry', 3, 2, 0, 'NULL', "'limited'", 'false');
is(take(), '3 3 2', 'what was no try does not count');
is(call('fail', 3, 3, quote(' {"code":"moderated","detail":"no"}')),
   'failed', 'it ends badly');
is(get(3), sprintf('{"id":"%s","status":"failed","code":"moderated",'
                   . '"detail":"no"}', id(3)), '... as is shown');
clear();

# Given back, it stands where it stood.

queue($_, by => $_) for 1 .. 3;
take();
call('retry', 1, 1, 0, 'NULL', "'x'");
like(get(1), qr/"status":"queued","position":1/, 'it is the first again');
is(take(), '1 2 2', '... and taken as such');
clear();

# Direct attempts.

is(begin(1, by => 1, key => 'k', expires => $PAST), undef, 'too late');
like(begin(1, key => 'k', lease => 1), qr/^new\|0+1\|running\|/, 'begun');
is(told(1), 0, 'which nobody is told');
like(begin(2, key => 'k'), qr/^same\|0+1\|running\|\|\|$/, 'the same again');
like(begin(2, key => 'k', body => 'another'), qr/^conflict\|\|/,
     'the key with another body');
like(begin(2, key => 'k', by => 2), qr/^new/, 'the key of another visitor');
is(queue(2, key => 'k', by => 2), 'queued|1', 'into the queue');
like(begin(3, key => 'k', by => 2), qr/^same\|0+2\|queued\|\|1\|\d+$/,
     '... with its place');
is(queue(2, by => 2), 'queued|', 'twice');
is(take(), '1 1 1', 'an attempt that broke off is taken over, for its key');
is(done(1, 0), 'stale', '... so its own end is refused');
is(queue(3, key => 'k', by => 2), 'conflict|', 'a key that is taken');
is(begin(4, seed => 7), 'new|' . id(4) . '|running|||', 'with a seed');
is(queue(5, most => 0), 'full|', 'no room');
is(queue(4, seed => 7, most => 1), 'full|', '... also for what was begun');
is(get(4), '', '... and nothing is left of it');
like(begin(6, seed => 7, lease => 1), qr/^new/, 'once more');
$one->ask('SELECT pg_sleep(0.01)');
take();
is(take(), '', 'nobody waits for one without a key');
is(call('done', 7, 0, quote(answer(7)), columns()), 'done',
   'one that went well at once');
is(get(7), answer(7), '... is known');
is(call('done', 7, 0, quote(answer(7)), columns()), 'done', '... twice');
is($one->ask(qq{SELECT count(*) FROM atelier.live_channel
               WHERE name = 'generate:@{[ id(7) ]}'}), 0,
   '... and not told of');
clear();

# The same key twice at the same moment.

$sessions[0]->ask('BEGIN');
my $sql = 'SELECT state, id FROM atelier.generation_begin(\'%s\', '
        . columns(key => 'twice') . ", $LATER)";
$sessions[0]->ask(sprintf $sql, id(1));
$sessions[1]->send(sprintf $sql, id(2));
$sessions[0]->ask('COMMIT');
is($sessions[1]->answer, 'same|' . id(1), 'the second hears of the first');
$sessions[0]->ask('BEGIN');
$sessions[0]->ask('DELETE FROM atelier.generation');
$sessions[1]->send(sprintf $sql, id(3));
$sessions[0]->ask('COMMIT');
is($sessions[1]->answer, 'new|' . id(3), '... or begins, if that is removed');
clear();

# One that was drawn before is another one's answer.

begin(1, seed => 5);
done(1, 0);
like(begin(4, seed => 5, by => 2, key => 'k'), qr/^new/, 'with a key');
is(call('done', 4, 0, quote(answer(1))), 'done', '... which is answered so');
like(begin(5, seed => 5, by => 2, key => 'k'),
     qr/^same\|@{[ id(1) ]}\|done\|.*generated/, '... which is kept');
like(begin(5, seed => 6, by => 2, key => 'k', body => 'z'), qr/^conflict/,
     '... for that body');
is($one->ask(qq{SELECT picture FROM atelier.generation_delete('@{[ id(1) ]}',
               '@{[ visitor(1) ]}')}), '',
   'another one was answered with that picture, so it stays');
is($one->ask(qq{SELECT picture FROM atelier.generation_delete('@{[ id(1) ]}',
               '@{[ visitor(2) ]}')}), "/generated/@{[ id(1) ]}.png",
   'the last one takes it along');
clear();

# Equal ones that were queued: the second is answered with the first.

queue($_, by => $_, seed => 5) for 1, 2;
take() for 1, 2;
done(1, 1);
is(call('done', 2, 1, quote(answer(1))), 'done', 'by an equal one');
is($one->ask(qq{SELECT picture FROM atelier.generation_delete('@{[ id(2) ]}',
                '@{[ visitor(2) ]}')}), '',
   '... whose picture is not removed with it');
is($one->ask(qq{SELECT picture FROM atelier.generation_delete('@{[ id(1) ]}',
                '@{[ visitor(1) ]}')}), "/generated/@{[ id(1) ]}.png",
   '... but with the last of them');
clear();

# Cancelled and removed, by its visitor alone.

queue(1);
queue(2);
is(call('cancel', 1, quote(visitor(2))), '', 'not another one\'s');
is(call('cancel', 1, quote(visitor(1))), 'cancelled', 'one\'s own');
like(get(2), qr/"position":1/, 'the next moves up');
like(get(1), qr/"status":"cancelled"/, 'and it says so');
is(take(), '2 1 1', 'it is not taken');
is(call('cancel', 2, quote(visitor(1))), 'cancelled', 'while it is at work');
is(call('renew', 2, 1, 1000), 'f', 'who works on it hears of that');
is(done(2, 1), 'cancelled', '... and the picture is not wanted');
is(get(2), sprintf('{"id":"%s","status":"cancelled"}', id(2)), 'it stays so');
is(call('cancel', 2, quote(visitor(1))), 'cancelled', 'twice');
queue(3);
is($one->ask(qq{SELECT count(*) FROM atelier.generation_delete('@{[ id(3) ]}',
               '@{[ visitor(1) ]}')}), 0, 'what waits is not removed');
is($one->ask(qq{SELECT status FROM atelier.generation_delete('@{[ id(2) ]}',
               '@{[ visitor(1) ]}')}), 'cancelled', 'what has ended is');
is(get(2), '', '... and gone');
is($one->ask(qq{SELECT count(*) FROM atelier.live_channel
               WHERE name = 'generate:@{[ id(2) ]}'}), 0,
   '... with its channel');
clear();

# What is told.

sub value {
    my ($n) = @_;
    return $one->ask("SELECT id, data FROM atelier.live_value("
                    . "'generate:@{[ id($n) ]}')");
}

queue(1);
queue(2, by => 2);
is(value(2), sprintf('0|{"id":"%s","status":"queued","position":2,'
                     . '"etaSeconds":%d,"channel":"generate:%1$s"}', id(2),
                     get(2) =~ /etaSeconds":(\d+)/), 'the channel has a value');
take();
like(value(2), qr/^0\|.*"position":1,/, '... as it is now');
call('renew', 1, 1, 60_000);
call('retry', 1, 1, 0, 'NULL', "'x'");
take(1);
$one->ask('SELECT pg_sleep(0.01)');
take();
done(1, 3);
is(join(' ', told(1)), 'running queued running done',
   'every change is a message');
is(value(1), '4|' . answer(1), 'the last is the answer');
is(value(77), undef, 'nothing is known of others');
queue(3);
my $long = 'x' x 70_000;
take() for 1 .. 2;
call('done', 3, 1, quote(qq({"url":"/u","prompt":"$long"})));
is(value(3) =~ s/ //gr, qq(2|{"id":"@{[ id(3) ]}","status":"done","url":"/u"}),
   'a very long one is told of in short');
is(length get(3), 70_024, '... but there');
clear();

# All places at once are those of each.

queue($_, by => $_ % 3) for 1 .. 10;
take() for 1 .. 3;
$one->ask("UPDATE atelier.generation SET not_before = now() + interval '50 s'"
          . " WHERE id = '@{[ id(8) ]}'");
$one->ask("UPDATE atelier.generation_rate SET at = now() - interval '1 h'");
my @places = $one->ask('SELECT id, place, eta, turn, n'
                       . ' FROM atelier.generation_places(3, -1, 0)');
my (undef, undef, undef, @last) = split /\|/, $places[-1];
push @places, $one->ask('SELECT id, place, eta, turn, n FROM'
                        . " atelier.generation_places(100, $last[0], $last[1])");
is(scalar @places, 7, 'all that wait, in two parts');
s/\|\d+\|\d+$// for @places;
is_deeply(\@places,
          [ map { my ($id) = split /\|/;
                  my $g = get(hex substr $id, 16);
                  join '|', $id, $g =~ /"position":(\d+),"etaSeconds":(\d+)/ }
            @places ],
          'places in one go');
clear();

# Own lists.

queue($_, by => 1) for 1 .. 3;
queue(4, by => 2);
done(2, 0);
my @list = $one->ask(qq{SELECT n, answer FROM atelier.generation_list(
                       '@{[ visitor(1) ]}', NULL, 2)});
is(scalar @list, 2, 'as many as one wants');
like($list[0], qr/@{[ id(3) ]}.*"position":3/, 'the newest first');
my ($n) = split /\|/, $list[1];
@list = $one->ask(qq{SELECT n, answer FROM atelier.generation_list(
                    '@{[ visitor(1) ]}', $n, 2)});
is(scalar @list, 1, 'then the others, nobody else\'s');
clear();

# Old ones.

call('done', $_, 0, quote(answer($_)), columns()) for 1 .. 5;
queue(6);
begin(7, seed => 1);
$one->ask('UPDATE atelier.generation SET ended_at = ended_at - interval'
         . " '2 d' WHERE id <= '@{[ id(3) ]}'");
$one->ask('UPDATE atelier.generation SET lease_until = now() - interval'
         . " '2 h' WHERE id = '@{[ id(7) ]}'");
is($one->ask('SELECT atelier.generation_prune(86400000, 2)'), 3,
   'in slices');
is($one->ask('SELECT atelier.generation_prune(86400000, 2)'), 1, '... until');
is($one->ask('SELECT atelier.generation_prune(86400000, 2)'), 0, '... all are');
is($one->ask('SELECT count(*) FROM atelier.generation'), 3, 'the others stay');
clear();

# The pace.

sub eta { return get($_[0]) =~ /"etaSeconds":(\d+)/ ? $1 : undef; }
sub pace { return $one->ask("UPDATE atelier.generation_rate SET $_[0]"); }
my $ago = 'clock_timestamp() - interval';

queue($_) for 1 .. 20;

# ... in so short a time as can be, since it is measured.

$one->ask(join ';', "UPDATE atelier.generation_rate
          SET at = $ago '2 s', served = $ago '2 s'",
    map({ ("SELECT id FROM atelier.generation_take('me', 60000)",
           "SELECT atelier.generation_done('" . id($_) . "', 1, '"
           . answer($_) . "')") } 1 .. 10),
    ('SELECT atelier.generation_measure()') x 2);
is($one->ask('SELECT round(ends) FROM atelier.generation_rate'), 11,
   'ends are counted, once');
pace('at = clock_timestamp(), served = clock_timestamp()');
my ($eta) = get(20) =~ /"etaSeconds":(\d+)/;
ok($eta >= 6 && $eta <= 9, "ten more take as long as ten have ($eta s)");
$one->ask('UPDATE atelier.generation SET not_before = now() + interval'
         . " '100 s' WHERE id = '@{[ id(20) ]}'");
like(get(20), qr/"etaSeconds":(?:9\d|100)\b/, 'not before its time');
clear();

# Limits: all were served at once until there was nothing left for a while.

pace("at = $ago '1 h', served = $ago '1 h', ends = 1, seconds = 5");
call('done', $_, 0, quote(answer($_)), columns()) for 101 .. 130;
queue($_) for 1 .. 31;
cmp_ok(eta(31), '<=', 62, 'first shown: the pace of the minute before');
$one->ask('SELECT atelier.generation_measure()');
cmp_ok(eta(31), '<=', 62, '... which is what is measured from');
cmp_ok(eta(31), '>=', 55, '... and no less');
for my $stood (10, 20, 40) {
    pace("at = $ago '1 s', served = $ago '$stood s'");
    $one->ask('SELECT atelier.generation_measure()');
    my $left = 62 - $stood;
    ok(eta(31) <= $left && eta(31) >= $left - 7,
       "nothing is served for $stood s: $left s are left");
}
pace("at = $ago '1 s', served = $ago '900 s'");
$one->ask('SELECT atelier.generation_measure()');
cmp_ok(eta(31), '>=', 20, '... and it says no lie when it lasts');
pace("at = $ago '1 s', served = $ago '40 s'");
my $last = 1000;
my @risen;
for my $n (1 .. 20) {
    take();
    done($n, 1);
    pace("at = $ago '1 s'");
    $one->ask('SELECT atelier.generation_measure()');
    $one->ask("UPDATE atelier.generation SET ended_at = $ago '10 s'"
              . ' WHERE ended_at IS NOT NULL');
    push @risen, "$last, ".eta(31) if eta(31) > $last + 1;
    $last = eta(31);
}
is("@risen", '', 'served all at once after that: it does not rise');
ok($last >= 15 && $last <= 25, "... and is what was measured ($last s)");
clear();

# With 10,000 waiting, put there without triggers, which would count each place.

$one->ask('SET session_replication_role = replica');
$one->ask(<<"END");
INSERT INTO atelier.generation (id, visitor, request, request_hash, status,
                                turn)
SELECT lpad(to_hex(i + 1000000), 32, '0'),
       decode(lpad(to_hex(i % 100), 32, '0'), 'hex'), '{}', '', 'queued',
       i / 100
FROM generate_series(1, 10000) i
END
$one->ask(<<"END");
INSERT INTO atelier.generation (id, visitor, request, request_hash, status,
                                result)
SELECT lpad(to_hex(i + 2000000), 32, '0'), decode(repeat('00', 16), 'hex'),
       '{}', '', 'done', '{}'
FROM generate_series(1, 20000) i
END
$one->ask('RESET session_replication_role');
$one->ask('VACUUM ANALYZE atelier.generation');
my $plan = join "\n", $one->ask('EXPLAIN SELECT atelier.generation_position('
                               . '50, 5000)'),
    $one->ask('EXPLAIN SELECT count(*) + 1 FROM atelier.generation WHERE status'
             . " = 'queued' AND (turn, n) < (50, 5000)");
like($plan, qr/Index Only Scan using generation_queued/,
     'a place is a count over one index');
my $began = Time::HiRes::time();
$one->ask('DO $$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM'
         . ' atelier.generation_position(1000, 0); END LOOP; END $$');
note(sprintf 'the place of the last of 10,000: %.2f ms',
     (Time::HiRes::time() - $began) * 10);
$began = Time::HiRes::time();
$one->ask('SELECT count(*) FROM atelier.generation_places(10000, -1, 0)');
note(sprintf 'all places: %.1f ms', (Time::HiRes::time() - $began) * 1000);
$began = Time::HiRes::time();
my $all = join ";\n", map { queue_sql($_, by => $_, most => 100_000) }
          1 .. 100;
$one->ask($all);
note(sprintf 'into the queue: %.2f ms', (Time::HiRes::time() - $began) * 10);
$began = Time::HiRes::time();
$one->ask("DO \$\$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM"
         . " atelier.generation_take('x', 60000); END LOOP; END \$\$");
note(sprintf 'out of it: %.2f ms', (Time::HiRes::time() - $began) * 10);
is($one->ask('SELECT count(*) FROM atelier.generation WHERE status = '
            . "'running'"), 100, 'taken');

done_testing();
