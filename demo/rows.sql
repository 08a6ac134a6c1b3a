-- SPDX-License-Identifier: MIT
-- A million rows in memory, indexed, joined and grouped.
PRAGMA temp_store = MEMORY;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, town TEXT);
CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INTEGER, amount INTEGER, note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO customer SELECT i, 'name ' || (i * 7919 % 50021), 'town ' || (i % 307) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 950000)
INSERT INTO sale SELECT i, i * 31337 % 50000 + 1, i * 7 % 1009, 'note ' || (i % 4001) FROM n;
COMMIT;
CREATE INDEX sale_customer ON sale(customer);
SELECT count(*), sum(amount) FROM sale;
SELECT town, count(*), sum(amount) AS total
FROM sale JOIN customer ON sale.customer = customer.id
GROUP BY town ORDER BY total DESC, town LIMIT 10;
SELECT name, group_concat(note, ',') FROM customer JOIN sale ON sale.customer = customer.id
WHERE customer.id BETWEEN 100 AND 105 GROUP BY customer.id;
UPDATE sale SET note = note || ' seen' WHERE amount < 100;
DELETE FROM sale WHERE amount > 900;
SELECT count(*), sum(length(note)) FROM sale;
