-- Who likes what, and how many do.
--
-- A like needs no row in atelier.design: a visitor may see a design before it
-- was stored.  A visitor is a digest, never the value of a cookie.

CREATE TABLE IF NOT EXISTS atelier.design_like (
    design_id    text NOT NULL
                 CHECK (design_id ~ '^[a-z0-9_-]{1,32}:[A-Za-z0-9._-]{1,80}$'),
    visitor      bytea NOT NULL CHECK (octet_length(visitor) = 16),
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (design_id, visitor)
);

CREATE INDEX IF NOT EXISTS design_like_visitor
    ON atelier.design_like (visitor, at DESC, design_id DESC);

-- Kept by triggers whoever writes above.  The row of a design is locked from
-- its change to the commit, so the count is that of the rows, always; who
-- changes several designs in one transaction goes in the order of their ids.

CREATE TABLE IF NOT EXISTS atelier.design_likes (
    design_id    text PRIMARY KEY,
    n            bigint NOT NULL CHECK (n >= 0),
    version      bigint NOT NULL DEFAULT 1    -- grows with every change
) WITH (fillfactor = 70);

CREATE OR REPLACE FUNCTION atelier.count_likes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE atelier.design_likes;
        RETURN NULL;
    END IF;

    IF TG_OP <> 'INSERT' THEN
        UPDATE atelier.design_likes SET n = n - 1, version = version + 1
        WHERE design_id = OLD.design_id;
    END IF;

    IF TG_OP <> 'DELETE' THEN
        INSERT INTO atelier.design_likes AS l (design_id, n)
        VALUES (NEW.design_id, 1)
        ON CONFLICT (design_id)
        DO UPDATE SET n = l.n + 1, version = l.version + 1;
    END IF;

    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER design_like_count
    AFTER INSERT OR DELETE OR UPDATE OF design_id ON atelier.design_like
    FOR EACH ROW EXECUTE FUNCTION atelier.count_likes();

CREATE OR REPLACE TRIGGER design_like_none
    AFTER TRUNCATE ON atelier.design_like
    FOR EACH STATEMENT EXECUTE FUNCTION atelier.count_likes();

-- Sets or takes back one visitor's like; the count after that, and how often
-- it has changed.  No row: the time, ms since 1970, has passed and nothing was
-- done; the one who asked was told so long ago.

CREATE OR REPLACE FUNCTION atelier.set_like(design text, who bytea,
    liked boolean, expires bigint)
RETURNS TABLE (n bigint, version bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF clock_timestamp() >= to_timestamp(expires / 1000.0) THEN
        RETURN;
    END IF;

    IF liked THEN
        INSERT INTO atelier.design_like (design_id, visitor)
        VALUES (design, who) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM atelier.design_like
        WHERE design_id = design AND visitor = who;
    END IF;

    RETURN QUERY
        SELECT coalesce(max(l.n), 0), coalesce(max(l.version), 0)
        FROM atelier.design_likes l WHERE l.design_id = design;
END
$$;
