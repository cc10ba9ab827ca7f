-- A posting of a transfer says so: as many top-ups and withdrawals as there are transfers, one to one.
UPDATE postings SET kind = 'top_up'
  WHERE kind = 'credit' AND id IN (SELECT posting FROM transfers WHERE direction = 'top_up');
