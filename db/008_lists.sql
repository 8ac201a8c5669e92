-- Whose word counts.  A product's own page says what it costs.  Lists are put
-- together from older data: they bring what no page has told yet, confirm, and
-- ask for a look at the page.  Only who has the lease of a product changes
-- what its page has said; all others need a second fetch that says the same.

ALTER TABLE atelier.product
    ADD COLUMN IF NOT EXISTS page_at timestamptz,      -- own page read last
    ADD COLUMN IF NOT EXISTS doubted_currency char(3),
    ADD COLUMN IF NOT EXISTS listed text;  -- by a list, and not by the page

-- In the order of ids, as all who change several.

UPDATE atelier.product AS p
SET page_at = coalesce(few.checked_at, few.verified_at)
FROM (SELECT p.id, p.verified_at, c.checked_at
      FROM atelier.product p
      JOIN atelier.product_check c ON c.product_id = p.id
      WHERE p.page_at IS NULL
        AND (c.checked_at IS NOT NULL OR p.verified_at IS NOT NULL)
      ORDER BY p.id FOR UPDATE OF p) AS few
WHERE p.id = few.id;

-- Another currency is another price, and what went before is none in it.  And
-- whoever has changed what is known: the page has to be read next time, since
-- that it is as it was says nothing of this.

CREATE OR REPLACE FUNCTION atelier.product_after() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    moment   timestamptz := clock_timestamp();
    before   bigint;
    stock    boolean;
    priced   boolean := NEW.price IS NOT NULL;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO atelier.product_check (product_id) VALUES (NEW.id)
        ON CONFLICT DO NOTHING;

        IF NEW.price IS NULL AND NEW.in_stock IS NULL THEN
            RETURN NULL;
        END IF;

    ELSE
        before := CASE WHEN NEW.currency = OLD.currency THEN OLD.price END;
        stock := OLD.in_stock;
        priced := (NEW.price, NEW.currency)
                  IS DISTINCT FROM (OLD.price, OLD.currency);

        UPDATE atelier.product_check AS c SET etag = NULL, modified = NULL
        WHERE c.product_id = NEW.id
          AND (c.etag IS NOT NULL OR c.modified IS NOT NULL);
    END IF;

    INSERT INTO atelier.price AS h (product_id, at, price, mrp, currency,
                                    in_stock)
    VALUES (NEW.id, moment, NEW.price, NEW.mrp, NEW.currency, NEW.in_stock)
    ON CONFLICT (product_id, at) DO UPDATE
        SET price = EXCLUDED.price, mrp = EXCLUDED.mrp,
            currency = EXCLUDED.currency, in_stock = EXCLUDED.in_stock;

    IF priced OR NEW.in_stock IS DISTINCT FROM stock THEN
        PERFORM atelier.live_publish('product:' || NEW.id, (
            SELECT row_to_json(j) FROM (
                SELECT NEW.id AS "productId",
                       atelier.money_text(NEW.price, NEW.currency) AS price,
                       atelier.money_text(before, NEW.currency)
                           AS "previousPrice",
                       NEW.currency, NEW.in_stock AS "inStock",
                       priced AS "priceChanged",
                       NEW.in_stock IS DISTINCT FROM stock AS "stockChanged",
                       atelier.time_text(moment) AS at) AS j));
    END IF;

    RETURN NULL;
END
$$;

-- For workers: what pages said.
--
-- seen is an array of objects; id is needed, title and url for a product that
-- is new, and all else may be missing or null, which changes nothing:
--
--     {"id":"ikea:1","title":"...","url":"...","image":"...",
--      "category":"...","price":129900,"mrp":159900,"currency":"INR",
--      "inStock":true,"verified":true,"layer":"json-ld","from":"page",
--      "large":30,"doubt":true,"fence":7}
--
-- mrp 0 is none.  asked is the query that found them, normalised, and first
-- the place of the first of them; or ''.
--
-- from is "list" or "page"; without it somebody knows, as an operator does.
-- verified says as well that the page was read.  With fence, nothing is done
-- if somebody else has the lease by now.
--
-- A price that is doubted is only noted, and believed when a second fetch
-- finds it again.  That is one with doubt; one that has moved by more than
-- large percent; of a page, one of another currency, or from another layer
-- than the known one.  A list is doubted whatever it says that is new, and so
-- is a page that is read without a lease after others.  Stock goes with them.
-- Of what a page has told, a list changes nothing, however often it says so.
--
-- what is new, changed, same, doubted, other (a list says something else than
-- the page did, or a page without a lease does of stock; the page is due now,
-- once for whatever the list says), fenced (not ours any more) or refused (no
-- such id can be, nothing is known of it, or the price is no price).

CREATE OR REPLACE FUNCTION atelier.products_see(seen jsonb,
    asked text DEFAULT '', first integer DEFAULT 1)
RETURNS TABLE (id text, what text, price_changed boolean,
               stock_changed boolean, announced boolean,
               previous_price bigint, price bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    o        jsonb;
    place    bigint;
    p        atelier.product;
    n        atelier.product;
    cost     bigint;
    money    text;
    stock    boolean;
    doubt    boolean;
    list     boolean;
    page     boolean;
    again    boolean;       -- once more in the same list
    weak     boolean;       -- changes nothing
    differs  boolean;
    odd      boolean;
    other    boolean;
    said     text;
    due      boolean;
BEGIN
    FOR o, place IN
        SELECT e.value, e.ordinality
        FROM jsonb_array_elements(seen) WITH ORDINALITY AS e
        ORDER BY e.value->>'id' COLLATE "C", e.ordinality
    LOOP
        again := coalesce(id = o->>'id', false);
        id := o->>'id';
        cost := (o->>'price')::bigint;
        stock := (o->>'inStock')::boolean;
        doubt := coalesce((o->>'doubt')::boolean, false);
        list := coalesce(o->>'from' = 'list', false);
        page := coalesce(o->>'from' = 'page', false);
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
            IF o->>'fence' IS NOT NULL THEN

                -- removed meanwhile, and not to come back by this

                what := 'fenced';
                RETURN NEXT;
                CONTINUE;
            END IF;

            IF o->>'title' IS NULL OR o->>'url' IS NULL THEN
                RETURN NEXT;
                CONTINUE;
            END IF;

            -- two may find it at once: then it is there a moment later

            INSERT INTO atelier.product AS t (id, title, url, image, category,
                price, mrp, currency, in_stock, verified, layer, page_at,
                doubted_price, doubted_currency)
            VALUES (products_see.id, left(o->>'title', 500), o->>'url',
                    o->>'image', left(nullif(o->>'category', ''), 100),
                    CASE WHEN NOT doubt THEN cost END,
                    CASE WHEN NOT doubt THEN nullif((o->>'mrp')::bigint, 0)
                    END,
                    coalesce(o->>'currency', 'INR'), stock,
                    coalesce((o->>'verified')::boolean, false) AND NOT doubt
                    AND atelier.price_sound(cost,
                                            coalesce(o->>'currency', 'INR')),
                    o->>'layer',
                    CASE WHEN page OR (o->>'verified')::boolean
                    THEN clock_timestamp() END,
                    CASE WHEN doubt THEN cost END,
                    CASE WHEN doubt THEN coalesce(o->>'currency', 'INR') END)
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
        IF o->>'fence' IS NOT NULL AND NOT EXISTS (
            SELECT FROM atelier.product_check c
            WHERE c.product_id = p.id AND c.fence = (o->>'fence')::bigint)
        THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        money := coalesce(o->>'currency', p.currency);
        differs := cost IS NOT NULL
                   AND (cost, money) IS DISTINCT FROM (p.price,
                                                       p.currency::text);
        weak := list AND (again OR p.page_at IS NOT NULL);
        said := CASE WHEN weak THEN concat_ws(' ', cost, money, stock) END;
        odd := NOT weak AND differs
               AND (doubt OR p.price IS NOT NULL AND coalesce(
                    abs(cost - p.price) * 100.0
                    > p.price * (o->>'large')::numeric, false)
                 OR p.price IS NOT NULL AND (list OR page AND (
                        money <> p.currency
                        OR p.page_at IS NOT NULL AND (
                            o->>'fence' IS NULL
                            OR coalesce(o->>'layer' <> p.layer, false)))))
               AND (cost, money) IS DISTINCT FROM (p.doubted_price,
                        coalesce(p.doubted_currency, p.currency)::text);

        -- what is not known does not differ: its page does not tell of stock

        other := CASE WHEN weak
                      THEN cost IS NOT NULL
                           AND (differs OR coalesce(stock <> p.in_stock,
                                                    false))
                      WHEN page AND o->>'fence' IS NULL
                           AND p.page_at IS NOT NULL
                      THEN coalesce(stock <> p.in_stock, false)
                      ELSE false END;

        -- a list that is wrong for long asks for few pages by that

        due := false;
        IF (odd OR other) AND o->>'fence' IS NULL
           AND (NOT weak OR p.listed IS DISTINCT FROM said
                OR p.page_at < now() - interval '1 hour')
        THEN
            PERFORM atelier.products_hurry(ARRAY[p.id], now());
            due := EXISTS (SELECT FROM atelier.product_check c
                           WHERE c.product_id = p.id
                             AND c.next_check <= now());
        END IF;

        UPDATE atelier.product AS t SET
            title = coalesce(left(nullif(o->>'title', ''), 500), t.title),
            url = coalesce(o->>'url', t.url),
            image = coalesce(o->>'image', t.image),
            category = coalesce(left(nullif(o->>'category', ''), 100),
                                t.category),
            price = CASE WHEN odd OR weak THEN t.price
                    ELSE coalesce(cost, t.price) END,
            mrp = CASE WHEN odd OR weak OR o->>'mrp' IS NULL THEN t.mrp
                  ELSE nullif((o->>'mrp')::bigint, 0) END,
            currency = CASE WHEN odd OR weak OR cost IS NULL THEN t.currency
                       ELSE money END,
            in_stock = CASE WHEN odd OR weak OR other THEN t.in_stock
                       ELSE coalesce(stock, t.in_stock) END,
            verified = coalesce((o->>'verified')::boolean, t.verified)
                       AND (t.verified OR NOT odd
                            AND (cost IS NOT NULL OR t.doubted_price IS NULL))
                       AND CASE WHEN odd OR weak OR cost IS NULL
                           THEN atelier.price_sound(t.price, t.currency)
                           ELSE atelier.price_sound(cost, money) END,
            verified_at = CASE WHEN (o->>'verified')::boolean
                          THEN clock_timestamp() ELSE t.verified_at END,
            price_at = CASE WHEN odd OR cost IS NULL OR weak AND (other
                                 OR doubt OR again)
                       THEN t.price_at ELSE clock_timestamp() END,
            doubted_price = CASE WHEN odd THEN cost
                            WHEN cost IS NULL OR weak THEN t.doubted_price
                            END,
            doubted_currency = CASE WHEN odd THEN money
                               WHEN cost IS NULL OR weak
                               THEN t.doubted_currency END,
            layer = CASE WHEN odd OR weak OR cost IS NULL THEN t.layer
                    ELSE coalesce(o->>'layer', t.layer) END,
            page_at = CASE WHEN page OR (o->>'verified')::boolean
                      THEN clock_timestamp() ELSE t.page_at END,
            listed = CASE WHEN weak AND due THEN said
                     WHEN weak AND cost IS NOT NULL AND NOT (other OR again)
                     THEN NULL ELSE t.listed END,
            seen_at = clock_timestamp()
        WHERE t.id = p.id
        RETURNING * INTO n;

        price_changed := (n.price, n.currency)
                         IS DISTINCT FROM (p.price, p.currency);
        stock_changed := n.in_stock IS DISTINCT FROM p.in_stock;
        announced := p.announced_at IS NULL AND n.announced_at IS NOT NULL;
        previous_price := p.price;
        price := n.price;
        what := CASE WHEN odd THEN 'doubted' WHEN other THEN 'other'
                WHEN price_changed OR stock_changed OR announced
                     OR (n.title, n.url, n.image, n.category, n.mrp,
                         n.verified)
                        IS DISTINCT FROM (p.title, p.url, p.image,
                                          p.category, p.mrp, p.verified)
                THEN 'changed' ELSE 'same' END;

        IF weak AND cost IS NOT NULL AND NOT (other OR doubt OR again) THEN
            PERFORM atelier.product_confirmed(n.id);
        END IF;

        PERFORM atelier.product_link(n.id, asked, first + place::integer - 1);
        RETURN NEXT;
    END LOOP;
END
$$;

-- A list says what its page did: a look that found no change, if nobody is at
-- the product and no other one is wanted soon.  Its rate stays; it is looked at
-- again after as long as it would have been.

CREATE OR REPLACE FUNCTION atelier.product_confirmed(product text)
RETURNS void
LANGUAGE sql AS $$
    UPDATE atelier.product_check AS c
    SET checks = c.checks + 1, checked_at = now(),
        next_check = CASE WHEN c.checked_at IS NULL THEN c.next_check
                     ELSE greatest(c.next_check, now() + (c.next_check
                                                          - c.checked_at))
                     END
    FROM atelier.product p
    WHERE c.product_id = product AND p.id = product
      AND c.lease_until IS NULL AND c.failures = 0 AND c.state = 'page'
      AND p.doubted_price IS NULL
$$;

-- The lowest price in so many days, of those in the currency of now; the one
-- that was in force when they began is one of them.

CREATE OR REPLACE FUNCTION atelier.price_lowest(product text, days integer)
RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    since  timestamptz := now() - days * interval '1 day';
    money  char(3) := (SELECT p.currency FROM atelier.product p
                       WHERE p.id = product);
BEGIN
    RETURN least(
        (SELECT min(h.price) FROM atelier.price h
         WHERE h.product_id = product AND h.at > since
           AND h.currency = money),
        (SELECT CASE WHEN h.currency = money THEN h.price END
         FROM atelier.price h
         WHERE h.product_id = product AND h.at <= since
         ORDER BY h.at DESC LIMIT 1));
END
$$;

-- History gets thinner with age: all of 30 days, then what a day ended with and
-- its lowest price, after a year those of a week; so the lowest of any longer
-- time stays true to the day.  Called again and again with what it returned,
-- from '' on until that is NULL: n products at a time.  In an order, since
-- several may do so at once.

CREATE OR REPLACE FUNCTION atelier.prices_thin(after text, n integer)
RETURNS text
LANGUAGE sql AS $$
    WITH few AS (
        SELECT p.id FROM atelier.product p
        WHERE p.id > after COLLATE "C" ORDER BY p.id LIMIT n
    ), old AS (
        SELECT h.product_id, h.at, row_number() OVER (age ORDER BY h.at DESC)
                   AS k,
               row_number() OVER (age ORDER BY h.price, h.at DESC) AS cheap
        FROM few JOIN atelier.price h ON h.product_id = few.id
        WHERE h.at < now() - interval '30 days'
        WINDOW age AS (
            PARTITION BY h.product_id, h.currency, date_trunc(
                CASE WHEN h.at < now() - interval '365 days'
                THEN 'week' ELSE 'day' END, h.at, 'UTC'))
    ), mine AS (
        SELECT h.product_id, h.at FROM atelier.price h
        JOIN old ON h.product_id = old.product_id AND h.at = old.at
        WHERE old.k > 1 AND old.cheap > 1
        ORDER BY h.product_id, h.at FOR UPDATE OF h SKIP LOCKED
    ), gone AS (
        DELETE FROM atelier.price AS h USING mine
        WHERE h.product_id = mine.product_id AND h.at = mine.at
    )
    SELECT max(id) FROM few
$$;
