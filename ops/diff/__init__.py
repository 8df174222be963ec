"""Two assemblies compared as promises: what a change breaks, opens, grants, loses and costs."""
