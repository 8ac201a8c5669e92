-- Products of retailers, what they cost and have cost, what found them, and
-- when to look at them again.
--
-- Money is in minor units of its currency (paise), text only at the edges.
-- What is not known is NULL, and nothing known is ever replaced by that: an
-- observation says what a page said, and a page may say little.
--
-- Who changes several products goes in the order of their ids, by bytes.

-- Typing errors are found by trigrams.  The extension is a trusted one: who may
-- create a schema here may create it, too.  It may be there already, anywhere.

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA atelier;
EXCEPTION
    WHEN undefined_file OR feature_not_supported THEN
        RAISE 'the extension pg_trgm is not installed on this server'
            USING HINT = 'It belongs to PostgreSQL; some systems pack it as '
                         'postgresql-contrib.';
END
$$;

CREATE TABLE IF NOT EXISTS atelier.product (
    id             text COLLATE "C" PRIMARY KEY
                   CHECK (id ~ '^[a-z0-9_-]{1,32}:[A-Za-z0-9._-]{1,80}$'),
    retailer       text NOT NULL
                   GENERATED ALWAYS AS (split_part(id, ':', 1)) STORED,
    native_id      text NOT NULL
                   GENERATED ALWAYS AS (split_part(id, ':', 2)) STORED,
    title          text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 500),
    url            text NOT NULL CHECK (octet_length(url) <= 2048),
    image          text CHECK (octet_length(image) <= 2048),
    category       text CHECK (char_length(category) BETWEEN 1 AND 100),
    price          bigint CHECK (price > 0),
    mrp            bigint CHECK (mrp > 0),
    currency       char(3) NOT NULL DEFAULT 'INR'
                   CHECK (currency ~ '^[A-Z]{3}$'),
    in_stock       boolean,
    verified       boolean NOT NULL DEFAULT false
                   CHECK (NOT verified OR price IS NOT NULL),
    price_at       timestamptz,        -- seen last, changed or not
    doubted_price  bigint,             -- seen once, too odd to be believed
    layer          text,               -- of a page, which the price came from
    verified_at    timestamptz,
    announced_at   timestamptz,        -- verified for the first time
    first_at       timestamptz NOT NULL DEFAULT now(),
    seen_at        timestamptz NOT NULL DEFAULT now(),
    search         tsvector NOT NULL
                   GENERATED ALWAYS AS (
                       setweight(to_tsvector('english', title), 'A')
                       || setweight(to_tsvector('english',
                                                coalesce(category, '')), 'B')
                       || setweight(to_tsvector('simple',
                                                split_part(id, ':', 1)), 'C'))
                   STORED
);

-- Most looks find what was known and write two times only: with room on the
-- page those touch no index.

ALTER TABLE atelier.product SET (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

-- For query=.

CREATE INDEX IF NOT EXISTS product_search
    ON atelier.product USING gin (search);

DO $$
BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS product_title
                    ON atelier.product USING gin (title %s.gin_trgm_ops)',
                   (SELECT extnamespace::regnamespace::text
                    FROM pg_extension WHERE extname = 'pg_trgm'));
END
$$;

-- For the sorts, of all products; what is not verified is always last.  A page
-- is read off the index, with further filters as it goes.

CREATE INDEX IF NOT EXISTS product_cheap
    ON atelier.product (verified DESC, price, id);
CREATE INDEX IF NOT EXISTS product_dear
    ON atelier.product (verified DESC, price DESC NULLS LAST, id);
CREATE INDEX IF NOT EXISTS product_new
    ON atelier.product (verified DESC, first_at DESC, id);

-- For category= and retailer=, which are selective, with price for ranges and
-- for its sort in them.

CREATE INDEX IF NOT EXISTS product_category
    ON atelier.product (category, verified DESC, price, id);
CREATE INDEX IF NOT EXISTS product_retailer
    ON atelier.product (retailer, verified DESC, price, id);

-- What a product has cost: a row when price, mrp or stock became another one.

CREATE TABLE IF NOT EXISTS atelier.price (
    product_id     text COLLATE "C" NOT NULL
                   REFERENCES atelier.product (id) ON DELETE CASCADE,
    at             timestamptz NOT NULL,
    price          bigint,
    mrp            bigint,
    currency       char(3) NOT NULL,
    in_stock       boolean,
    PRIMARY KEY (product_id, at)
);

-- A query, normalised, and what shops returned for it, so that "couch" finds
-- the "sofa" it found there.  rank is its place in the last answer.

CREATE TABLE IF NOT EXISTS atelier.product_query (
    query          text NOT NULL CHECK (char_length(query) <= 100),
    product_id     text COLLATE "C" NOT NULL
                   REFERENCES atelier.product (id) ON DELETE CASCADE,
    rank           integer NOT NULL DEFAULT 0,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    search         tsvector NOT NULL
                   GENERATED ALWAYS AS (to_tsvector('english', query)) STORED,
    PRIMARY KEY (query, product_id)
);

CREATE INDEX IF NOT EXISTS product_query_product
    ON atelier.product_query (product_id);
CREATE INDEX IF NOT EXISTS product_query_search
    ON atelier.product_query USING gin (search);

-- When a product is looked at next.  A table of its own, since it changes with
-- every look and its index as well.  While somebody is at it, next_check is
-- the end of the lease: what is due is one range of one index.

CREATE TABLE IF NOT EXISTS atelier.product_check (
    product_id     text COLLATE "C" PRIMARY KEY
                   REFERENCES atelier.product (id) ON DELETE CASCADE,
    retailer       text NOT NULL
                   GENERATED ALWAYS AS (split_part(product_id, ':', 1))
                   STORED,
    next_check     timestamptz NOT NULL DEFAULT now(),
    lease_until    timestamptz,        -- NULL: nobody is at it
    fence          bigint NOT NULL DEFAULT 0,    -- grows with every lease
    checks         bigint NOT NULL DEFAULT 0,
    changes        bigint NOT NULL DEFAULT 0,
    failures       integer NOT NULL DEFAULT 0,   -- in a row
    change_rate    double precision,   -- an hour, as estimated
    checked_at     timestamptz,
    changed_at     timestamptz,
    state          text NOT NULL DEFAULT 'page', -- wall, gone, moved, ...
    state_at       timestamptz,
    etag           text,
    modified       text                -- Last-Modified, as it came
);

ALTER TABLE atelier.product_check
    SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Every shop has a budget of its own, so its products are asked for by it.

CREATE INDEX IF NOT EXISTS product_check_due
    ON atelier.product_check (retailer, next_check);

-- Text at the edges.

CREATE OR REPLACE FUNCTION atelier.money_digits(currency text)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF',
                          'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF',
                          'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND')
            THEN 3
        ELSE 2 END
$$;

CREATE OR REPLACE FUNCTION atelier.money_text(minor bigint, currency text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE atelier.money_digits(currency)
        WHEN 0 THEN minor::text
        ELSE round(minor / 10::numeric ^ atelier.money_digits(currency),
                   atelier.money_digits(currency))::text END
$$;

CREATE OR REPLACE FUNCTION atelier.time_text(at timestamptz)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The lowest price in so many days; the one that was in force when they began
-- is one of them.  In PL/pgSQL, which plans it once a session, not once a row.

CREATE OR REPLACE FUNCTION atelier.price_lowest(product text, days integer)
RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    since  timestamptz := now() - days * interval '1 day';
BEGIN
    RETURN least(
        (SELECT min(h.price) FROM atelier.price h
         WHERE h.product_id = product AND h.at > since),
        (SELECT h.price FROM atelier.price h
         WHERE h.product_id = product AND h.at <= since
         ORDER BY h.at DESC LIMIT 1));
END
$$;

-- A product as the API shows it.

CREATE OR REPLACE FUNCTION atelier.product_json(p atelier.product)
RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT row_to_json(j) FROM (
        SELECT p.id, p.retailer, p.title, p.url AS "productUrl", p.image,
               atelier.money_text(p.price, p.currency) AS price,
               atelier.money_text(p.mrp, p.currency) AS mrp, p.currency,
               p.in_stock AS "inStock", p.category, p.verified,
               atelier.time_text(p.price_at) AS "priceAt",
               atelier.money_text(atelier.price_lowest(p.id, 30),
                                  p.currency) AS "lowest30d") AS j
$$;

-- Prices of so many days, oldest first; the first is that in force then.

CREATE OR REPLACE FUNCTION atelier.product_history(product text,
    days integer)
RETURNS TABLE (at timestamptz, price text, mrp text, currency text,
               in_stock boolean)
LANGUAGE sql STABLE AS $$
    SELECT h.at, atelier.money_text(h.price, h.currency),
           atelier.money_text(h.mrp, h.currency), h.currency::text,
           h.in_stock
    FROM atelier.price h
    WHERE h.product_id = product
      AND h.at >= coalesce((SELECT max(b.at) FROM atelier.price b
                            WHERE b.product_id = product
                              AND b.at <= now() - days * interval '1 day'),
                           '-infinity')
    ORDER BY h.at
$$;

-- What follows from a change, whoever makes it.

CREATE OR REPLACE FUNCTION atelier.product_before() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.verified AND NEW.announced_at IS NULL THEN
        NEW.announced_at := clock_timestamp();
    END IF;

    IF TG_OP = 'INSERT' THEN
        IF NEW.price IS NOT NULL AND NEW.price_at IS NULL THEN
            NEW.price_at := clock_timestamp();
        END IF;

    ELSIF NEW.price IS DISTINCT FROM OLD.price
          AND NEW.price_at IS NOT DISTINCT FROM OLD.price_at
    THEN
        NEW.price_at := clock_timestamp();
    END IF;

    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER product_before
    BEFORE INSERT OR UPDATE OF price, verified ON atelier.product
    FOR EACH ROW EXECUTE FUNCTION atelier.product_before();

CREATE OR REPLACE FUNCTION atelier.product_after() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    moment   timestamptz := clock_timestamp();
    before   bigint;
    stock    boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO atelier.product_check (product_id) VALUES (NEW.id)
        ON CONFLICT DO NOTHING;

        IF NEW.price IS NULL AND NEW.in_stock IS NULL THEN
            RETURN NULL;
        END IF;

    ELSE
        before := OLD.price;
        stock := OLD.in_stock;
    END IF;

    INSERT INTO atelier.price AS h (product_id, at, price, mrp, currency,
                                    in_stock)
    VALUES (NEW.id, moment, NEW.price, NEW.mrp, NEW.currency, NEW.in_stock)
    ON CONFLICT (product_id, at) DO UPDATE
        SET price = EXCLUDED.price, mrp = EXCLUDED.mrp,
            currency = EXCLUDED.currency, in_stock = EXCLUDED.in_stock;

    IF NEW.price IS DISTINCT FROM before OR NEW.in_stock IS DISTINCT FROM stock
    THEN
        PERFORM atelier.live_publish('product:' || NEW.id, (
            SELECT row_to_json(j) FROM (
                SELECT NEW.id AS "productId",
                       atelier.money_text(NEW.price, NEW.currency) AS price,
                       atelier.money_text(before, NEW.currency)
                           AS "previousPrice",
                       NEW.currency, NEW.in_stock AS "inStock",
                       NEW.price IS DISTINCT FROM before AS "priceChanged",
                       NEW.in_stock IS DISTINCT FROM stock AS "stockChanged",
                       atelier.time_text(moment) AS at) AS j));
    END IF;

    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER product_made
    AFTER INSERT ON atelier.product
    FOR EACH ROW EXECUTE FUNCTION atelier.product_after();

CREATE OR REPLACE TRIGGER product_changed
    AFTER UPDATE ON atelier.product
    FOR EACH ROW WHEN (OLD.price IS DISTINCT FROM NEW.price
                       OR OLD.mrp IS DISTINCT FROM NEW.mrp
                       OR OLD.currency IS DISTINCT FROM NEW.currency
                       OR OLD.in_stock IS DISTINCT FROM NEW.in_stock)
    EXECUTE FUNCTION atelier.product_after();

-- Products are announced at the very end of a transaction: all of them go by
-- one channel, whose row is then locked for no longer than a commit, and after
-- those of single products, as the order of names wants it.

CREATE OR REPLACE FUNCTION atelier.product_announce() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM atelier.live_publish('products', atelier.product_json(p))
    FROM atelier.product p WHERE p.id = NEW.id;

    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS product_announced ON atelier.product;
CREATE CONSTRAINT TRIGGER product_announced
    AFTER INSERT ON atelier.product
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.announced_at IS NOT NULL)
    EXECUTE FUNCTION atelier.product_announce();

DROP TRIGGER IF EXISTS product_announced_late ON atelier.product;
CREATE CONSTRAINT TRIGGER product_announced_late
    AFTER UPDATE ON atelier.product
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.announced_at IS NULL
                       AND NEW.announced_at IS NOT NULL)
    EXECUTE FUNCTION atelier.product_announce();

-- For workers: what pages said.
--
-- seen is an array of objects; id is needed, title and url for a product that
-- is new, and all else may be missing or null, which changes nothing:
--
--     {"id":"ikea:1","title":"...","url":"...","image":"...",
--      "category":"...","price":129900,"mrp":159900,"currency":"INR",
--      "inStock":true,"verified":true,"layer":"json-ld","doubt":true,
--      "fence":7}
--
-- mrp 0 is none.  With doubt, a price that differs from the known one is only
-- noted, and believed when it is seen a second time.  With fence, nothing is
-- done if somebody else has the lease by now.  asked is the query that found
-- them, normalised, and first the place of the first of them; or ''.
--
-- what is new, changed, same, doubted, fenced (not ours any more) or refused
-- (no such id can be, nothing is known of it, or the price is no price).

CREATE OR REPLACE FUNCTION atelier.products_see(seen jsonb,
    asked text DEFAULT '', first integer DEFAULT 1)
RETURNS TABLE (id text, what text, price_changed boolean,
               stock_changed boolean, announced boolean,
               previous_price bigint, price bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    o      jsonb;
    place  bigint;
    p      atelier.product;
    n      atelier.product;
    cost   bigint;
    odd    boolean;
BEGIN
    FOR o, place IN
        SELECT e.value, e.ordinality
        FROM jsonb_array_elements(seen) WITH ORDINALITY AS e
        ORDER BY e.value->>'id' COLLATE "C", e.ordinality
    LOOP
        id := o->>'id';
        cost := (o->>'price')::bigint;
        price_changed := false;
        stock_changed := false;
        announced := false;
        previous_price := NULL;
        price := NULL;

        what := 'refused';
        IF id IS NULL OR cost <= 0
           OR id !~ '^[a-z0-9_-]{1,32}:[A-Za-z0-9._-]{1,80}$'
        THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT * INTO p FROM atelier.product AS t
        WHERE t.id = products_see.id FOR UPDATE;

        IF NOT FOUND THEN
            IF o->>'title' IS NULL OR o->>'url' IS NULL THEN
                RETURN NEXT;
                CONTINUE;
            END IF;
            -- two may find it at once: then it is there a moment later

            INSERT INTO atelier.product AS t (id, title, url, image, category,
                price, mrp, currency, in_stock, verified, layer)
            VALUES (products_see.id, left(o->>'title', 500), o->>'url',
                    o->>'image', left(nullif(o->>'category', ''), 100), cost,
                    nullif((o->>'mrp')::bigint, 0),
                    coalesce(o->>'currency', 'INR'),
                    (o->>'inStock')::boolean,
                    coalesce((o->>'verified')::boolean, false)
                    AND atelier.price_sound(cost,
                                            coalesce(o->>'currency', 'INR')),
                    o->>'layer')
            ON CONFLICT DO NOTHING
            RETURNING * INTO n;

            IF FOUND THEN
                what := 'new';
                price_changed := n.price IS NOT NULL;
                stock_changed := n.in_stock IS NOT NULL;
                announced := n.announced_at IS NOT NULL;
                price := n.price;
                PERFORM atelier.product_link(n.id, asked,
                                             first + place::integer - 1);
                RETURN NEXT;
                CONTINUE;
            END IF;

            SELECT * INTO p FROM atelier.product AS t
            WHERE t.id = products_see.id FOR UPDATE;
        END IF;
        what := 'fenced';
        IF (o->>'fence') IS NOT NULL AND NOT EXISTS (
            SELECT FROM atelier.product_check c
            WHERE c.product_id = p.id AND c.fence = (o->>'fence')::bigint)
        THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        odd := coalesce((o->>'doubt')::boolean, false)
               AND cost <> p.price AND cost IS DISTINCT FROM p.doubted_price;

        UPDATE atelier.product AS t SET
            title = coalesce(left(nullif(o->>'title', ''), 500), t.title),
            url = coalesce(o->>'url', t.url),
            image = coalesce(o->>'image', t.image),
            category = coalesce(left(nullif(o->>'category', ''), 100),
                                t.category),
            price = CASE WHEN odd THEN t.price ELSE coalesce(cost, t.price)
                    END,
            mrp = CASE WHEN odd OR o->>'mrp' IS NULL THEN t.mrp
                  ELSE nullif((o->>'mrp')::bigint, 0) END,
            currency = CASE WHEN odd OR cost IS NULL THEN t.currency
                       ELSE coalesce(o->>'currency', t.currency) END,
            in_stock = CASE WHEN odd THEN t.in_stock
                       ELSE coalesce((o->>'inStock')::boolean, t.in_stock)
                       END,
            verified = coalesce((o->>'verified')::boolean, t.verified)
                       AND atelier.price_sound(
                           CASE WHEN odd THEN t.price
                           ELSE coalesce(cost, t.price) END, t.currency),
            verified_at = CASE WHEN (o->>'verified')::boolean
                          THEN clock_timestamp() ELSE t.verified_at END,
            price_at = CASE WHEN odd OR cost IS NULL THEN t.price_at
                       ELSE clock_timestamp() END,
            doubted_price = CASE WHEN odd THEN cost
                            WHEN cost IS NULL THEN t.doubted_price END,
            layer = CASE WHEN odd OR cost IS NULL THEN t.layer
                    ELSE coalesce(o->>'layer', t.layer) END,
            seen_at = clock_timestamp()
        WHERE t.id = p.id
        RETURNING * INTO n;

        price_changed := n.price IS DISTINCT FROM p.price;
        stock_changed := n.in_stock IS DISTINCT FROM p.in_stock;
        announced := p.announced_at IS NULL AND n.announced_at IS NOT NULL;
        previous_price := p.price;
        price := n.price;
        what := CASE WHEN odd THEN 'doubted'
                WHEN price_changed OR stock_changed OR announced
                     OR (n.title, n.url, n.image, n.category, n.mrp,
                         n.verified)
                        IS DISTINCT FROM (p.title, p.url, p.image,
                                          p.category, p.mrp, p.verified)
                THEN 'changed' ELSE 'same' END;
        PERFORM atelier.product_link(n.id, asked, first + place::integer - 1);
        RETURN NEXT;
    END LOOP;
END
$$;

-- Less than ten million of the currency, as the rule for verified ones says.

CREATE OR REPLACE FUNCTION atelier.price_sound(minor bigint, currency text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(minor > 0 AND minor < 10000000
                    * (10 ^ atelier.money_digits(currency))::bigint, false)
$$;

CREATE OR REPLACE FUNCTION atelier.product_link(product text, asked text,
    place integer)
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO atelier.product_query AS q (query, product_id, rank)
    SELECT left(asked, 100), product, place WHERE asked <> ''
    ON CONFLICT (query, product_id) DO UPDATE
        SET rank = EXCLUDED.rank, seen_at = now()
$$;

-- Takes up to n products of a shop that are due, for so long.  Nobody waits
-- for anybody; a lease that ran out is due again, under a higher fence.

CREATE OR REPLACE FUNCTION atelier.products_due(shop text, n integer,
    lease interval)
RETURNS TABLE (product_id text, fence bigint, url text, price bigint,
               currency text, in_stock boolean, checks bigint, changes bigint,
               failures integer, change_rate double precision,
               checked_at timestamptz, changed_at timestamptz, state text,
               etag text, modified text)
LANGUAGE sql AS $$
    WITH due AS (
        SELECT c.product_id FROM atelier.product_check c
        WHERE c.retailer = shop AND c.next_check <= now()
        ORDER BY c.next_check LIMIT n FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE atelier.product_check AS c
        SET fence = c.fence + 1, next_check = now() + lease,
            lease_until = now() + lease
        FROM due WHERE c.product_id = due.product_id
        RETURNING c.*
    )
    SELECT t.product_id, t.fence, p.url, p.price, p.currency::text,
           p.in_stock, t.checks, t.changes, t.failures, t.change_rate,
           t.checked_at, t.changed_at, t.state, t.etag, t.modified
    FROM taken t JOIN atelier.product p ON p.id = t.product_id
$$;

-- Ends a lease.  changed: price or stock were not as before; NULL: it could
-- not be told.  false: somebody else has it by now, and nothing was done.

CREATE OR REPLACE FUNCTION atelier.product_checked(product text, held bigint,
    next timestamptz, changed boolean, page text, rate double precision,
    tag text DEFAULT NULL, last_modified text DEFAULT NULL)
RETURNS boolean
LANGUAGE sql AS $$
    WITH done AS (
        UPDATE atelier.product_check AS c
        SET next_check = next, lease_until = NULL,
            checks = c.checks + (changed IS NOT NULL)::integer,
            changes = c.changes + coalesce(changed, false)::integer,
            failures = CASE WHEN changed IS NULL THEN c.failures + 1 ELSE 0
                       END,
            change_rate = coalesce(rate, c.change_rate),
            checked_at = CASE WHEN changed IS NULL THEN c.checked_at
                         ELSE now() END,
            changed_at = CASE WHEN changed THEN now() ELSE c.changed_at END,
            state_at = CASE WHEN c.state = page THEN c.state_at ELSE now()
                       END,
            state = page,
            etag = CASE WHEN changed IS NULL THEN c.etag ELSE tag END,
            modified = CASE WHEN changed IS NULL THEN c.modified
                       ELSE last_modified END
        WHERE c.product_id = product AND c.fence = held
        RETURNING c.product_id
    )
    SELECT EXISTS (SELECT FROM done)
$$;

-- Sooner, as when browsers watch: nothing that is leased, nothing later.

CREATE OR REPLACE FUNCTION atelier.products_hurry(products text[],
    by timestamptz)
RETURNS bigint
LANGUAGE sql AS $$
    WITH few AS (
        SELECT c.product_id FROM atelier.product_check c
        WHERE c.product_id = ANY (products) AND c.next_check > by
          AND (c.lease_until IS NULL OR c.lease_until < now())
        FOR UPDATE SKIP LOCKED
    ), done AS (
        UPDATE atelier.product_check AS c SET next_check = by
        FROM few WHERE c.product_id = few.product_id
        RETURNING c.product_id
    )
    SELECT count(*) FROM done
$$;

-- History gets thinner with age: all of 30 days, then what a day ended with,
-- after a year what a week did.  Called again and again with what it returned,
-- from '' on until that is NULL: n products at a time.

CREATE OR REPLACE FUNCTION atelier.prices_thin(after text, n integer)
RETURNS text
LANGUAGE sql AS $$
    WITH few AS (
        SELECT p.id FROM atelier.product p
        WHERE p.id > after COLLATE "C" ORDER BY p.id LIMIT n
    ), old AS (
        SELECT h.product_id, h.at, row_number() OVER (
                   PARTITION BY h.product_id, date_trunc(
                       CASE WHEN h.at < now() - interval '365 days'
                       THEN 'week' ELSE 'day' END, h.at, 'UTC')
                   ORDER BY h.at DESC) AS k
        FROM few JOIN atelier.price h ON h.product_id = few.id
        WHERE h.at < now() - interval '30 days'
    ), gone AS (
        DELETE FROM atelier.price AS h USING old
        WHERE old.k > 1 AND h.product_id = old.product_id AND h.at = old.at
    )
    SELECT max(id) FROM few
$$;

-- For those who ask: a page of products as JSON, {"total":N,"results":[...]}
-- and what asked wants of "facets":{...}.  asked is an object whose members
-- may all be missing:
--
--     {"query":"couch","category":"sofas","retailer":"ikea",
--      "minPrice":100000,"maxPrice":900000,"inStock":true,"verified":true,
--      "sort":"price_asc","limit":24,"offset":0,
--      "facets":["category","retailer","inStock","verified","price"]}
--
-- Prices are in minor units.  sort is relevance, price_asc, price_desc or
-- newest; relevance without a query is newest.  total and facets count 10,000
-- at most.  SQLSTATE 22023: there is no such sort or facet.
--
-- Each set of conditions is planned for itself, since what serves one of them
-- is of no use to the next.  A query finds by words, by what shops returned
-- for it, and, when that is little, by words that look alike.

CREATE OR REPLACE FUNCTION atelier.products_find(asked jsonb)
RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    query    text := coalesce(asked->>'query', '');
    sort     text := coalesce(asked->>'sort', 'relevance');
    words    tsquery := CASE WHEN query <> ''
                        THEN websearch_to_tsquery('english', query) END;
    filter   text;
    sorted   text;
    hits     text;
    facets   text;
    answer   json;
BEGIN
    filter := concat_ws(' AND ', 'true',
        CASE WHEN asked ? 'category' THEN 'p.category = $1->>''category''' END,
        CASE WHEN asked ? 'retailer' THEN 'p.retailer = $1->>''retailer''' END,
        CASE WHEN asked ? 'minPrice'
             THEN 'p.price >= ($1->>''minPrice'')::bigint' END,
        CASE WHEN asked ? 'maxPrice'
             THEN 'p.price <= ($1->>''maxPrice'')::bigint' END,
        CASE (asked->>'inStock')::boolean WHEN true THEN 'p.in_stock'
             WHEN false THEN 'NOT p.in_stock' END,
        CASE (asked->>'verified')::boolean WHEN true THEN 'p.verified'
             WHEN false THEN 'NOT p.verified' END);

    sorted := CASE sort
        WHEN 'relevance' THEN
            CASE query WHEN '' THEN 'p.verified DESC, p.first_at DESC, p.id'
            ELSE 'p.verified DESC, score DESC, p.id' END
        WHEN 'price_asc' THEN 'p.verified DESC, p.price, p.id'
        WHEN 'price_desc' THEN 'p.verified DESC, p.price DESC NULLS LAST, p.id'
        WHEN 'newest' THEN 'p.verified DESC, p.first_at DESC, p.id' END;

    IF sorted IS NULL THEN
        RAISE 'there is no sort "%"', left(sort, 100)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use relevance, price_asc, price_desc or newest.';
    END IF;

    -- without a query both users of hits read an index, in the order they want

    hits := format(CASE query WHEN '' THEN
        'NOT MATERIALIZED (SELECT p.*, 0 AS score FROM atelier.product p
         WHERE %s)'
        ELSE
        'MATERIALIZED (SELECT p.id, p.category, p.retailer, p.in_stock,
             p.verified, p.price, p.currency, p.first_at, found.score
         FROM found
         JOIN atelier.product p ON p.id = found.id WHERE %s)' END, filter);

    SELECT string_agg(format('concat(%L, (%s))', to_json(f) || ':',
                             atelier.products_facet(f)), ', ')
    INTO facets
    FROM jsonb_array_elements_text(coalesce(asked->'facets', '[]')) AS f;

    EXECUTE format('
        WITH words AS (
            SELECT id, 1 + ts_rank(search, $2) AS score
            FROM atelier.product WHERE search @@ $2
            UNION ALL
            SELECT product_id,
                   1 + (query = $3)::int / (10.0 + greatest(rank, 0))
            FROM atelier.product_query WHERE search @@ $2
        ), alike AS (
            SELECT id, word_similarity($3, title) AS score
            FROM atelier.product
            WHERE char_length($3) > 2 AND $3 <%% title
              AND (SELECT count(*) FROM (SELECT FROM words LIMIT 20) AS w)
                  < 20
        ), found AS (
            SELECT id, max(score) AS score
            FROM (SELECT * FROM words UNION ALL SELECT * FROM alike) AS u
            GROUP BY id
        ), hits AS %1$s,
        counted AS (
            SELECT p.category, p.retailer, p.in_stock, p.verified, p.price,
                   p.currency
            FROM hits p LIMIT 10000
        ), page AS (
            SELECT row_number() OVER (ORDER BY %2$s) AS place, p.id
            FROM hits p ORDER BY %2$s
            LIMIT ($1->>''limit'')::int OFFSET ($1->>''offset'')::int
        )
        SELECT concat(''{"total":'', (SELECT count(*) FROM counted),
            '',"results":['', (
                SELECT string_agg(atelier.product_json(p)::text, '',''
                                  ORDER BY page.place)
                FROM page JOIN atelier.product p ON p.id = page.id),
            '']'' %3$s, ''}'')::json', hits, sorted,
        CASE WHEN facets <> ''
        THEN format(', '',"facets":{'', concat_ws('','', %s), ''}''', facets)
        END)
    INTO answer
    USING asked || jsonb_build_object(
              'limit', coalesce((asked->>'limit')::int, 24),
              'offset', coalesce((asked->>'offset')::int, 0)),
          words, query;

    RETURN answer;
END
$$;

CREATE OR REPLACE FUNCTION atelier.products_facet(name text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    col  text;
BEGIN
    IF name = 'price' THEN
        RETURN 'SELECT row_to_json(f) FROM (SELECT
                    atelier.money_text(min(price), min(currency)) AS min,
                    atelier.money_text(max(price), min(currency)) AS max
                FROM counted) AS f';
    END IF;

    col := CASE name WHEN 'category' THEN 'category'
           WHEN 'retailer' THEN 'retailer' WHEN 'inStock' THEN 'in_stock'
           WHEN 'verified' THEN 'verified' END;

    IF col IS NULL THEN
        RAISE 'there is no facet "%"', left(name, 100)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Use category, retailer, inStock, verified or price.';
    END IF;

    RETURN format('SELECT concat(''['', string_agg(row_to_json(f)::text, '',''
            ORDER BY f.count DESC, f.value), '']'') FROM (
        SELECT %1$I AS value, count(*) AS count FROM counted
        WHERE %1$I IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100) AS f',
        col);
END
$$;

-- The operators of trigrams are where the extension is.  Two letters that were
-- swapped leave somewhat less than half of a word's.

ALTER FUNCTION atelier.products_find(jsonb)
    SET pg_trgm.word_similarity_threshold = 0.35;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION atelier.products_find(jsonb)
                    SET search_path = pg_catalog, atelier, %s',
                   (SELECT extnamespace::regnamespace::text
                    FROM pg_extension WHERE extname = 'pg_trgm'));
END
$$;
