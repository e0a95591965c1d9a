"""Operations: what is wrong, what to do about it, and who did what.

finding      what a check says: a level, a subject, a sentence, and what to do next
readings     what is read from the database, as values
reading      reads them, part by part
rhythm       how many deliveries an account's own rhythm lets one expect
disk         how much room the database's server has
of_*         the checks: pure functions from readings to findings
check        all of them
gauges       the same readings as metrics, while a process runs
acts         events that say what an operator did; the deeds stand in modules named for what is worked off:
             dead_letters, drift, quarantine, reconciliation
alerts       the rules (rules.yml) by which Prometheus judges those metrics
dashboard    panels that show them, as Grafana's JSON
"""
