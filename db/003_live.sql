-- What goes out on live channels: last ids, current values, what can still be
-- sent again, and what atelier-relay has yet to bring to Redis.
--
-- Whoever changes something publishes it in the same transaction, by
-- live_publish() and mostly by a trigger, so a change made by psql counts as
-- any other, and one that is rolled back was never heard of.  The row of a
-- channel is locked from the publishing to the commit: ids are dense and in
-- the order of commits, for ever, whatever becomes of Redis.
--
-- So who publishes on several channels in one transaction does it in the
-- order of their names, byte by byte (COLLATE "C"), after having locked the
-- rows that are told of in the same order: two writers then wait for each
-- other, and never both.

CREATE TABLE IF NOT EXISTS atelier.live_channel (
    name         text COLLATE "C" PRIMARY KEY,
    id           bigint NOT NULL CHECK (id > 0),
    data         json NOT NULL,
    at           timestamptz NOT NULL
);

-- Every message rewrites its channel's row.  No index is on what changes, so
-- with room on the page that touches no index either (HOT).  A row goes only
-- together with what it tells of, since without it ids would begin anew.

ALTER TABLE atelier.live_channel SET (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.2
);

-- The last 1,000 messages of a channel, unless atelier-relay has found them
-- too old (its keep).  at never goes back within a channel, so what remains
-- there has no holes.

CREATE TABLE IF NOT EXISTS atelier.live_message (
    channel      text COLLATE "C" NOT NULL,
    id           bigint NOT NULL,
    data         json NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (channel, id)
);

-- For the purge by age, which without it would read the whole table.  New
-- entries all go to its right edge.

CREATE INDEX IF NOT EXISTS live_message_at ON atelier.live_message (at);

ALTER TABLE atelier.live_message SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_scale_factor = 0.2
);

-- Rows are here from a commit until Redis has them, mostly some ms: it is
-- small, but all of it is soon dead.  Hence vacuum by number of rows and
-- without pauses; and never with the lock that giving back the last pages
-- takes, which writers would wait for.

CREATE TABLE IF NOT EXISTS atelier.outbox (
    seq          bigserial PRIMARY KEY,
    channel      text COLLATE "C" NOT NULL,
    id           bigint NOT NULL,
    data         json NOT NULL
);

ALTER TABLE atelier.outbox SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 10000,
    vacuum_truncate = off
);

-- Publishes data on a channel and returns its id there.  SQLSTATE 22023: that
-- is no name of a channel; 54000: the data are too large; nothing was done.
--
-- One message goes for each that comes, by its id: ids are dense, so that is
-- exact, and a range would read again all that vacuum has not cleared yet.

CREATE OR REPLACE FUNCTION atelier.live_publish(channel text, data json)
RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    size    integer := octet_length(data::text);
    moment  timestamptz;
    n       bigint;
BEGIN
    IF channel IS NULL OR octet_length(channel) > 128
       OR channel !~ ('^(products|(product|design|generate):'
                      || '[A-Za-z0-9._~:-]+)$')
    THEN
        RAISE '"%" is no live channel', left(channel, 128)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use products, product:id, design:id or '
                         'generate:id, of 128 bytes at most.';
    END IF;

    IF size > 65536 THEN
        RAISE 'the data for % have % bytes; a live message may have 65536',
              channel, size
            USING ERRCODE = 'program_limit_exceeded';
    END IF;

    -- the clock is read when the row is locked, so it goes with the ids

    INSERT INTO atelier.live_channel AS c (name, id, data, at)
    VALUES (channel, 1, data, clock_timestamp())
    ON CONFLICT (name) DO UPDATE
        SET id = c.id + 1, data = EXCLUDED.data,
            at = greatest(c.at, clock_timestamp())
    RETURNING c.id, c.at INTO n, moment;

    INSERT INTO atelier.live_message (channel, id, data, at)
    VALUES (channel, n, data, moment);

    DELETE FROM atelier.live_message AS m
    WHERE m.channel = live_publish.channel AND m.id = n - 1000;

    INSERT INTO atelier.outbox (channel, id, data) VALUES (channel, n, data);

    -- A notification makes all commits wait for each other, so there is none
    -- while atelier-relay says by a lock (3) that it looks all the time.  It
    -- sleeps when nobody is left who has relied on that, and held a lock (4)
    -- from before he asked to his commit.

    PERFORM pg_advisory_xact_lock_shared(1096041804, 4);

    IF pg_try_advisory_xact_lock_shared(1096041804, 3) THEN
        PERFORM pg_notify('atelier_outbox', '');
    END IF;

    RETURN n;
END
$$;

-- {"id":...,"likes":...}, as a live message.

CREATE OR REPLACE FUNCTION atelier.live_likes(design text, n bigint)
RETURNS json
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('{"id":%s,"likes":%s}', to_json(design), n)::json
$$;

-- What a subscriber is shown first, and the id it stands at; 0: nothing was
-- published yet.  No row: nothing is known.

CREATE OR REPLACE FUNCTION atelier.live_value(channel text)
RETURNS TABLE (id bigint, data json)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT c.id, c.data FROM atelier.live_channel c
                 WHERE c.name = live_value.channel;

    IF NOT FOUND AND channel LIKE 'design:%' THEN
        RETURN QUERY
            SELECT 0::bigint,
                   atelier.live_likes(d.design,
                       coalesce((SELECT l.n FROM atelier.design_likes l
                                 WHERE l.design_id = d.design), 0))
            FROM (VALUES (substr(channel, 8))) AS d (design);
    END IF;
END
$$;

-- The messages of a channel above an id, in order.  All of them are there if
-- the first is since + 1.

CREATE OR REPLACE FUNCTION atelier.live_since(channel text, since bigint)
RETURNS TABLE (id bigint, data json)
LANGUAGE sql STABLE AS $$
    SELECT m.id, m.data FROM atelier.live_message m
    WHERE m.channel = live_since.channel AND m.id > live_since.since
    ORDER BY m.id
$$;

-- Likes are told of by whatever changes their count.

CREATE OR REPLACE FUNCTION atelier.publish_likes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM atelier.live_publish('design:' || l.design_id,
                                     atelier.live_likes(l.design_id, 0))
        FROM (SELECT design_id FROM atelier.design_likes WHERE n > 0
              ORDER BY design_id COLLATE "C") AS l;

    ELSIF TG_OP = 'DELETE' THEN
        PERFORM atelier.live_publish('design:' || OLD.design_id,
                                     atelier.live_likes(OLD.design_id, 0));
    ELSE
        PERFORM atelier.live_publish('design:' || NEW.design_id,
                                     atelier.live_likes(NEW.design_id,
                                                        NEW.n));
    END IF;

    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER design_likes_publish
    AFTER INSERT OR UPDATE OF n ON atelier.design_likes
    FOR EACH ROW EXECUTE FUNCTION atelier.publish_likes();

CREATE OR REPLACE TRIGGER design_likes_gone
    AFTER DELETE ON atelier.design_likes
    FOR EACH ROW WHEN (OLD.n > 0) EXECUTE FUNCTION atelier.publish_likes();

-- Before, since afterwards nobody knows which there were.

CREATE OR REPLACE TRIGGER design_likes_none
    BEFORE TRUNCATE ON atelier.design_likes
    FOR EACH STATEMENT EXECUTE FUNCTION atelier.publish_likes();
